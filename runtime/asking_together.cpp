// How far several awaited calls are, asked by one call (progress_groups.hpp): where the read that tells it
// for one has a list in its place (`several by …` of a declaration). Each run is handed its element as if it
// had asked alone: its journal has the same entries. What the list does not tell is asked alone.
#include <algorithm>

#include "base/operation_bytes.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

// Lists in which a call was missing, until it is asked about alone for good.
constexpr std::uint32_t kMostMisses = 3;

}  // namespace

// Empty when each question is asked alone. Both ways of asking have to stand in one line: the turn of one is
// the turn of all.
std::string Runtime::Loop::progress_group(const Pending& pending) {
  const Module& module = *pending.module;
  const Operation& one = module.operations[*pending.counts_as];
  if (!one.several) return {};
  const auto index = module.operation(one.connector, one.several->operation);
  if (!index) return {};
  Pending together = pending;
  together.counts_as = index;
  const Quota& alone = quota_of(pending);
  const Quota& shared = quota_of(together);
  if (!alone.by.empty() || !shared.by.empty() || host_of(pending) != host_of(together)) return {};
  const Operation& list = module.operations[*index];
  const std::string bucket = Limiter::bucket(host_of(pending), alone, one.full_name());
  if (bucket != Limiter::bucket(host_of(together), shared, list.full_name())) return {};
  ByteWriter out;
  out(bucket, one.parameters.at(0).name, *one.several);
  return fingerprint_of(pending.module, *index, route_of(pending.call.tenant, list)) + out.take();
}

// When its time has come, and it was not taken along before.
void Runtime::Loop::ask_progress_at(std::int64_t time_us, const std::string& group,
                                    const ProgressGroups::Question& question) {
  const auto rest = progress_.rest(group, question, clock_.now_us(), time_us);
  at(time_us, [this, rest] {
    const auto due = progress_.wake(rest);
    if (!due) return;
    if (const Run* const run = owner_of(*due)) ask_progress(*run, *due, true);
  });
}

// Its turn has come: others that may are asked about in the same call.
void Runtime::Loop::take_questions_along(std::uint64_t ticket, Pending& pending, std::int64_t now_us) {
  if (pending.group.empty()) return;
  progress_.leave_line(pending.group, ticket);
  const Module& module = *pending.module;
  const Several& several = *module.operations[*pending.counts_as].several;
  for (ProgressGroups::Question& question :
       progress_.take_along(pending.group, several.at_most - 1, now_us)) {
    if (question.ticket != 0) pending_.erase(question.ticket);  // the limiter passes over it
    const Run* const run = owner_of(question);
    if (run == nullptr) continue;  // nobody wants it any more
    if (pending.begun.empty()) note_begun(pending, *owner_of(pending), pending.number);
    note_begun(pending, *run, question.number);
    pending.questions.push_back(std::move(question));
  }
  if (!pending.questions.empty())
    pending.counts_as = module.operation(module.operations[*pending.counts_as].connector, several.operation);
}

void Runtime::Loop::note_begun(Pending& pending, const Run& run, std::uint32_t number) {
  Pending asked = progress_pending(run, number);
  asked.call.module = asked.module.get();
  pending.begun.push_back({std::move(asked.call), run.waiting(number)->begun->result});
  pending.modules.push_back(std::move(asked.module));
}

void Runtime::Loop::take_progress_of_several(const Pending& pending, const Outcome& outcome) {
  std::vector<ProgressGroups::Question> questions{question_of(pending)};
  questions.insert(questions.end(), pending.questions.begin(), pending.questions.end());
  const auto* const returned = std::get_if<Returned>(&outcome);
  const auto* const fault = std::get_if<Fault>(&outcome);
  std::vector<std::string> rows;
  if (returned != nullptr && is_json(returned->json))
    rows = json_elements(returned->json).value_or(std::vector<std::string>());
  if (rows.size() != questions.size()) rows.clear();
  const bool may_pass = fault != nullptr && may_retry(fault->kind);
  using Answer = ProgressGroups::Answer;
  const bool tells = std::ranges::any_of(rows, [](const std::string& row) { return row != "null"; });
  if (fault == nullptr || fault->kind != FaultKind::Throttled)
    progress_.note(pending.group,
                   may_pass       ? Answer::Failed
                   : rows.empty() ? Answer::Refused
                   : tells        ? Answer::Told
                                  : Answer::ToldNothing,
                   clock_.now_us());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    ProgressGroups::Question& question = questions[i];
    Run* const run = owner_of(question);
    if (run == nullptr) continue;
    if (may_pass) {
      ask_progress_later(*run, question);
    } else if (rows.empty()) {
      ask_progress(*run, question, false);
    } else if (rows[i] == "null") {
      ++question.misses;
      ask_progress(*run, question, false);
    } else {
      ++counters_.questions_shared;
      take_progress(*run, question, Returned{rows[i]});
    }
  }
}

bool Runtime::Loop::may_ask_together(const ProgressGroups::Question& question) {
  return question.misses < kMostMisses;
}

}  // namespace flow
