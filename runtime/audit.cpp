#include "runtime/audit.hpp"

#include <algorithm>
#include <charconv>

#include "base/calendar.hpp"
#include "base/text.hpp"
#include "runtime/digest.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestText = 500;  // of a fault or a reason: the journal has it whole

// Nearly all are IDs and names, which stand in JSON as they are.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

void add(std::string& line, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  line.append(",\"").append(name).append("\":");
  text = beginning_of(text, kLongestText);
  if (!is_plain(text)) return append_json_quoted(line, text);
  line.append(1, '"').append(text).append(1, '"');
}

// As format_time_us() does; many rows are of one second.
void add_time(std::string& line, std::int64_t time_us) {
  thread_local std::int64_t known_s = -1;
  thread_local std::string known;
  const std::int64_t second = time_us / kSecondUs;
  if (time_us < 0 || time_us % kSecondUs == 0) return add(line, "time", format_time_us(time_us));
  if (second != known_s) {
    known_s = second;
    known = format_time_us(second * kSecondUs);
    known.back() = '.';  // instead of the Z
  }
  char digits[] = "000000";
  std::int64_t rest = time_us % kSecondUs;
  for (int i = 5; i >= 0; --i, rest /= 10) digits[i] = static_cast<char>('0' + rest % 10);
  std::string_view fraction(digits, 6);
  while (fraction.back() == '0') fraction.remove_suffix(1);
  line.append(",\"time\":\"").append(known).append(fraction).append("Z\"");
}

void add_number(std::string& line, std::string_view name, std::uint64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  line.append(name).append(digits, end);
}

}  // namespace

std::string_view audit_kind_name(AuditKind kind) {
  switch (kind) {
#define FLOW_AUDIT(name, word, meaning) \
  case AuditKind::name:                 \
    return word;
#include "runtime/audit.def"
#undef FLOW_AUDIT
  }
  return "";
}

std::string audit_line(std::uint64_t number, const AuditRow& row) {
  std::string line;
  line.reserve(400);
  add_number(line, "{\"number\":", number);
  add_time(line, row.time_us);
  add(line, "kind", audit_kind_name(row.kind));
  add(line, "tenant", row.tenant);
  add(line, "flow", row.flow);
  add(line, "run", row.run);
  if (row.call) add_number(line, ",\"call\":", *row.call);
  if (row.attempt != 0) add_number(line, ",\"attempt\":", row.attempt);
  add(line, "operation", row.operation);
  add(line, "target", row.target);
  add(line, "permission", row.permission);
  add(line, "trigger", row.trigger);
  add(line, "key", row.key);
  add(line, "result", row.result);
  add(line, "reference", row.reference);
  add(line, "fault", row.fault);
  add(line, "detail", row.detail);
  add(line, "by", row.by);
  add(line, "via", row.via);
  add(line, "module", row.module);
  if (row.line != 0) add_number(line, ",\"line\":", row.line);
  if (row.through != 0) add_number(line, ",\"through\":", row.through);
  add(line, "anchor", row.anchor);
  return line += '}';
}

std::string audit_hash(std::string_view previous, std::string_view line) {
  return sha256(previous, line);
}

}  // namespace flow
