#include "runtime/audit_check.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kRowsAtOnce = 1000;

using How = AuditProblem::How;

std::uint64_t number_in(const std::string& line, std::string_view name) {
  const std::int64_t number = json_int(json_member(line, name).value_or("")).value_or(0);
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

// Walks the chain from its first row. When older rows were pruned, the hash before that one is not known at
// first: a row further on has it.
class Walk {
 public:
  Walk(Store& store, const std::string& known_head) : store_(store), known_(lower_ascii(known_head)) {}

  Result<AuditVerdict> run() {
    for (bool is_end = false; !is_end && !verdict_.problem;) {
      FLOW_TRY(const std::vector<AuditLine> rows, store_.audit(verdict_.last, kRowsAtOnce));
      is_end = rows.size() < kRowsAtOnce;
      for (const AuditLine& row : rows) {
        FLOW_TRY_STATUS(take(row));
        if (verdict_.problem) break;
      }
    }
    if (!verdict_.problem && !is_anchored_)
      note(How::Missing, verdict_.first,
           fmt::format("row {} is the first that is there, and no row says that those before it were pruned",
                       verdict_.first));
    if (!verdict_.problem && !known_.empty() && !has_known_)
      note(How::CutAtEnd, verdict_.last,
           fmt::format("no row has the hash {}: rows behind {} are gone, or the trail was written anew",
                       known_, verdict_.last));
    verdict_.head = hex(previous_);
    return std::move(verdict_);
  }

 private:
  void note(How how, std::uint64_t number, std::string text) {
    verdict_.problem = AuditProblem{how, number, std::move(text)};
  }

  Status take(const AuditLine& row) {
    const bool is_first = verdict_.rows == 0;
    if (is_first) {
      verdict_.first = row.number;
      is_anchored_ = row.number == 1;
      if (!is_anchored_) first_ = row;
    } else if (row.number != verdict_.last + 1) {
      note(How::Missing, verdict_.last + 1,
           verdict_.last + 2 == row.number
               ? fmt::format("row {} is missing", verdict_.last + 1)
               : fmt::format("rows {} to {} are missing", verdict_.last + 1, row.number - 1));
      return {};
    }
    const bool can_be_checked = !is_first || is_anchored_;
    if (can_be_checked && audit_hash(previous_, row.line) != row.hash) return tell_broken(row);
    if (number_in(row.line, "number") != row.number) return tell_broken(row);
    if (!is_anchored_) find_anchor(row);
    verdict_.last = row.number;
    ++verdict_.rows;
    previous_ = row.hash;
    has_known_ = has_known_ || (!known_.empty() && hex(row.hash) == known_);
    return {};
  }

  void find_anchor(const AuditLine& row) {
    if (row.line.find(R"("kind":"pruned")") == std::string::npos) return;
    if (number_in(row.line, "through") + 1 != first_.number) return;
    const std::string anchor = json_string(json_member(row.line, "anchor").value_or("")).value_or("");
    const auto bytes = unhex(anchor);
    is_anchored_ = bytes && audit_hash(*bytes, first_.line) == first_.hash;
    if (!is_anchored_)
      note(How::Changed, first_.number,
           fmt::format("row {} does not follow on the rows that row {} says were pruned", first_.number,
                       row.number));
  }

  // A row that says it is another one was moved, or those between were taken out and the numbers closed up.
  Status tell_broken(const AuditLine& row) {
    const std::uint64_t said = number_in(row.line, "number");
    if (said == row.number || said == 0) {
      note(How::Changed, row.number, fmt::format("row {}, or its hash, is not what was written", row.number));
      return {};
    }
    FLOW_TRY(const bool is_elsewhere, is_behind(row.number));
    if (is_elsewhere || said < row.number)
      note(How::Reordered, row.number, fmt::format("row {} stands in the place of row {}", said, row.number));
    else
      note(How::Missing, row.number,
           fmt::format("row {} is missing; row {} stands in its place", row.number, said));
    return {};
  }

  // Whether the row that says it is `number` stands further on.
  Result<bool> is_behind(std::uint64_t number) {
    for (std::uint64_t after = number;;) {
      FLOW_TRY(const std::vector<AuditLine> rows, store_.audit(after, kRowsAtOnce));
      for (const AuditLine& row : rows)
        if (number_in(row.line, "number") == number) return true;
      if (rows.size() < kRowsAtOnce) return false;
      after = rows.back().number;
    }
  }

  Store& store_;
  std::string known_;
  AuditVerdict verdict_;
  AuditLine first_;          // when rows before it were pruned
  bool is_anchored_ = true;  // what the first row follows on is known
  bool has_known_ = false;
  std::string previous_;
};

}  // namespace

Result<AuditVerdict> check_audit(Store& store, const std::string& known_head) {
  return Walk(store, known_head).run();
}

}  // namespace flow
