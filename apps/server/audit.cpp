// flow audit: the trail of who did what to which machine and why, read from the store; a service may be
// writing to it meanwhile.
#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/moment.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/world.hpp"
#include "base/text.hpp"
#include "runtime/audit_check.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kRowsAtOnce = 1000;

std::string text_in(const JsonMembers& row, std::string_view name) {
  const auto found = row.find(name);
  if (found == row.end()) return {};
  auto text = json_string(found->second);
  return text ? *std::move(text) : found->second;
}

struct Wanted {
  std::optional<std::int64_t> since_us, until_us;
  const AuditOptions& options;

  bool fits(const JsonMembers& row) const {
    const auto is = [&](const std::string& wanted, std::string_view name) {
      return wanted.empty() || text_in(row, name) == wanted;
    };
    if (!is(options.tenant, "tenant") || !is(options.flow, "flow") || !is(options.run, "run")) return false;
    if (!options.machine.empty()) {  // alone, or in a list
      const std::string target = text_in(row, "target");
      const auto several = json_elements(target);
      const bool is_among =
          several && std::ranges::find(*several, json_quoted(options.machine)) != several->end();
      if (target != options.machine && !is_among) return false;
    }
    if (!since_us && !until_us) return true;
    const auto time_us = parse_time_us(text_in(row, "time"));
    return time_us && (!since_us || *time_us >= *since_us) && (!until_us || *time_us < *until_us);
  }
};

void print(const AuditLine& line, const JsonMembers& row, bool is_json) {
  if (is_json) {
    std::string out = line.line;
    if (out.ends_with('}')) out.pop_back();
    fmt::print("{},\"hash\":\"{}\"}}\n", out, hex(line.hash));
    return;
  }
  fmt::print("{:>8}  {:<27} {:<8} {:<10} {}", line.number, text_in(row, "time"), text_in(row, "kind"),
             printable(text_in(row, "tenant")), printable(text_in(row, "flow")));
  for (const char* name : {"run", "operation", "target", "permission", "result", "fault", "detail"})
    if (const std::string text = text_in(row, name); !text.empty()) fmt::print("  {}", printable(text));
  if (const std::string by = text_in(row, "by"); !by.empty()) fmt::print("  by {}", printable(by));
  if (const std::string via = text_in(row, "via"); !via.empty()) fmt::print(" ({})", printable(via));
  if (const std::string key = text_in(row, "key"); !key.empty())
    fmt::print("  because of {} {}", printable(text_in(row, "trigger")), printable(key));
  if (const std::string at = text_in(row, "line"); !at.empty()) fmt::print("  line {}", at);
  fmt::print("\n");
}

Attempt<std::optional<std::int64_t>> moment(const std::string& option, const std::string& text) {
  if (text.empty()) return std::optional<std::int64_t>();
  const auto parsed = parse_moment(text, SystemClock().now_us());
  if (!parsed)
    return failure(
        fmt::format("{}: `{}` is no moment, as 2h (so long ago), 2026-11-22 or 2026-11-22T06:00:00Z", option,
                    text),
        kUsage);
  return parsed;
}

Attempt<int> export_rows(const AuditOptions& options) {
  Wanted wanted{.since_us = {}, .until_us = {}, .options = options};
  FLOW_TRY(wanted.since_us, moment("--since", options.since));
  FLOW_TRY(wanted.until_us, moment("--until", options.until));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(options.store));
  for (std::uint64_t after = 0;;) {
    FLOW_TRY(const std::vector<AuditLine> lines, store->audit(after, kRowsAtOnce));
    for (const AuditLine& line : lines) {
      const auto row = json_members(line.line);
      if (!row)
        return error(
            fmt::format("row {} of the audit trail is damaged; `flow audit verify` says more", line.number));
      if (wanted.fits(*row)) print(line, *row, options.json);
    }
    if (lines.size() < kRowsAtOnce) return static_cast<int>(kSuccess);
    after = lines.back().number;
  }
}

Attempt<int> verify(const AuditOptions& options) {
  const auto known = unhex(options.head);
  if (!options.head.empty() && (!known || known->size() != 32))
    return failure("--head takes the 64 hexadecimal digits of a row's hash", kUsage);
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(options.store));
  FLOW_TRY(const AuditVerdict verdict, check_audit(*store, options.head));
  if (verdict.problem) {
    complain(fmt::format("the audit trail is broken at row {}: {}", verdict.problem->number,
                         verdict.problem->text));
    return static_cast<int>(kFlowWrong);
  }
  if (verdict.rows == 0) {
    fmt::print("the audit trail is empty\n");
    return static_cast<int>(kSuccess);
  }
  fmt::print("{} rows, {} to {}: the chain is whole\nhead {}\n", verdict.rows, verdict.first, verdict.last,
             verdict.head);
  return static_cast<int>(kSuccess);
}

int finish(const Attempt<int>& result) {
  if (!result) return complain(result.error().message), result.error().code;
  return *result;
}

}  // namespace

int run_audit_export(const AuditOptions& options) {
  return finish(export_rows(options));
}
int run_audit_verify(const AuditOptions& options) {
  return finish(verify(options));
}

}  // namespace flow
