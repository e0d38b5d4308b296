// What outlives the process: modules, runs, their journals, and how far each trigger has been read. The
// runtime never writes piecemeal: it collects everything a turn of its loop leads to in one Batch and commits
// that. Implementations: sqlite_store.hpp. All of them pass the conformance tests in
// tests/unit/runtime/store_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/audit.hpp"

namespace flow {

// Numbers are stored: append, never reorder.
enum class RunState : std::uint8_t {
  Running,   // has something to do, or waits for an answer or a time
  Parked,    // waits for a person
  Skipped,   // the condition turned out false, after something had to be fetched to know
  Finished,  // went through its body
  Stopped,   // the flow said `stop`
  Failed,    // a fault ended it
};
inline constexpr RunState kLastRunState = RunState::Failed;
std::string_view run_state_name(RunState state);
std::optional<RunState> run_state_named(std::string_view name);

struct RunRow {
  std::string id;
  std::string tenant;
  std::string flow;
  std::string module;   // SHA-256 of the encoded module, hexadecimal
  std::string trigger;  // `defender.alert.new`
  std::string key;      // of the event: unique together with tenant, flow and trigger
  RunState state = RunState::Running;
  std::int64_t created_us = 0;
  std::int64_t ended_us = 0;  // 0 while not over
  std::string reason;         // Stopped, Failed, Parked: for a person
  std::string fault;          // Failed: name of the fault's kind
  std::uint32_t line = 0;     // where it ended
  std::int64_t wake_us = 0;   // Running: asleep until then, kNever when no time wakes it; 0: awake
  std::string machine;        // that the event is about; empty when it names none
};

struct JournalRow {
  std::string run;
  std::uint32_t sequence = 0;  // from 0, without gaps
  int kind = 0;                // EntryKind
  std::int64_t time_us = 0;
  std::string payload;  // JSON
};

struct ModuleRow {
  std::string hash;
  std::string bytes;
  std::string conditions = {};  // as they were written, for people who ask why; empty: not known
};

struct CursorRow {
  std::string tenant;
  std::string trigger;
  std::int64_t watermark_us = 0;  // everything up to here was read
  std::int64_t floor_us = 0;      // nothing before this is ever asked for
};

struct SeenRow {
  std::string tenant;
  std::string trigger;
  std::string key;
  std::int64_t time_us = 0;  // of the event
};

// Keys of one trigger that need not be remembered any more.
struct ForgetRow {
  std::string tenant;
  std::string trigger;
  std::int64_t before_us = 0;      // older ones go
  std::uint32_t keep_at_most = 0;  // of the rest, the oldest go until so many are left; 0 is no limit
};

// What the last event of one ID said, kept for flows that ask what was before.
struct StateRow {
  std::string tenant;
  std::string trigger;
  std::string id;            // of what the events are about, as an alert's
  std::int64_t time_us = 0;  // of the event
  std::string event;         // JSON object
};

// A key that a flow has taken with flow.once(): until then it is taken.
struct OnceRow {
  std::string tenant;
  std::string flow;
  std::string key;
  std::int64_t taken_us = 0;
  std::int64_t until_us = 0;
};

// A run that left memory because it only waits. What it needs to go on is `frozen`, which stands for the
// entries of its journal before `sequence`.
struct SleepRow {
  std::string run;
  std::int64_t wake_us = 0;
  std::uint32_t sequence = 0;
  std::string frozen;
};

// A call that counts under a limit of its flow, at the time it went out last.
struct CountedCallRow {
  std::string tenant;
  std::string flow;
  std::string operation;  // full name
  std::string run;
  std::uint32_t call = 0;
  std::int64_t time_us = 0;
  std::int64_t until_us = 0;  // it need not be remembered any more
};

// Calls that went out in one second in one line of the limiter, which counts them for an hour.
struct SentRow {
  std::string bucket;
  std::int64_t second = 0;  // since 1970
  std::uint32_t calls = 0;
};
// Nothing of that line goes out before then: the server said so.
struct RestRow {
  std::string bucket;
  std::int64_t until_us = 0;
};

// What a run waits for that no machine and no time brings. The numbers are stored: append, never reorder.
struct QuestionRow {
  enum class Kind : std::uint8_t {
    Approve,  // people, yes or no
    Ask,      // people, one of the options
    Receive,  // a message of that name
    Admit,    // people, whether a call may be made that a policy holds back
  };
  enum class State : std::uint8_t {
    Open,
    Answered,
    Expired,
    Withdrawn,  // the run does not want to know any more
  };
  std::string id;  // question_id() of the run and the call
  std::string run;
  std::uint32_t call = 0;
  std::string tenant;
  std::string flow;
  Kind kind = Kind::Approve;
  State state = State::Open;
  std::vector<std::string> people;   // whose answer counts
  std::string subject;               // what is asked; Receive: the message's name
  std::string details;               // JSON: a text, or {"$html": "…"}
  std::vector<std::string> options;  // what may be answered
  std::int64_t asked_us = 0;
  std::int64_t expires_us = 0;  // kNever when it does not
  // Once it is not open any more:
  std::int64_t closed_us = 0;
  std::string answer;  // Answered: one of the options
  std::string by;      // Answered: who
  std::string via;     // Answered: from where, as `link`
};
inline constexpr QuestionRow::Kind kLastQuestionKind = QuestionRow::Kind::Admit;
inline constexpr QuestionRow::State kLastQuestionState = QuestionRow::State::Withdrawn;
std::string_view question_kind_name(QuestionRow::Kind kind);     // `approve`
std::string_view question_state_name(QuestionRow::State state);  // `open`
std::string question_id(std::string_view run, std::uint32_t call);

// The mail that tells one person of a question.
struct TellingRow {
  enum class State : std::uint8_t { Wanted, Out, Told, Failed, Dropped };  // Out: sent, and nothing is known
  std::string question;
  std::uint32_t person = 0;  // index into QuestionRow::people
  State state = State::Wanted;
  std::int64_t time_us = 0;  // of the last change
  std::string problem;       // Failed
};

// A message to a run, for one of its calls of flow.receive().
struct MessageRow {
  std::string run;
  std::uint32_t number = 0;  // in the order in which they came, from 1
  std::string name;
  std::string payload;  // JSON
  std::string key;      // of the sender, who may send it again without harm; empty: none
  std::string from;
  std::int64_t received_us = 0;
  std::optional<std::uint32_t> taken_by;  // the call that got it
};
struct TakenRow {
  std::string run;
  std::uint32_t number = 0;
  std::uint32_t call = 0;
};

// A run that may be asleep and is to be woken then; one that is awake is left alone.
struct DueRow {
  std::string run;
  std::int64_t wake_us = 0;
};

// One change to what is live of a flow: runtime/deployment.hpp says what follows from all of them. The
// numbers are stored: append, never reorder.
struct DeploymentRow {
  enum class Kind : std::uint8_t {
    Live,
    Back,       // the version before is live again
    Withdrawn,  // by a person
    Removed,    // its file has it no more, or is not served any more
    Shadow,
    ShadowEnded,
  };
  std::int64_t number = 0;  // from 1, in the order of what was done; given by the store
  std::string tenant;
  std::string flow;
  Kind kind = Kind::Live;
  std::string module;    // SHA-256 of what is live or the shadow now, or was until now
  std::string settings;  // JSON object
  std::string file;      // as of DeployRequest
  std::int64_t time_us = 0;
  std::string by;  // who said so
};
inline constexpr DeploymentRow::Kind kLastDeploymentKind = DeploymentRow::Kind::ShadowEnded;
std::string_view deployment_kind_name(DeploymentRow::Kind kind);  // `live`, `back`, `withdrawn`, …

struct MetaRow {
  std::string key;
  std::string value;
};

// One transaction. Written in the order of the members; a module or run comes before what refers to it.
struct Batch {
  std::vector<ModuleRow> modules;  // of a hash that is there already only conditions are added
  std::vector<RunRow> runs;        // new; an ID or (tenant, flow, trigger, key) that exists fails the batch
  std::vector<RunRow>
      changed_runs;  // state, ended_us, reason, fault and line of existing ones; they are awake
  std::vector<JournalRow> journal;  // a (run, sequence) that exists fails the batch
  std::vector<SleepRow> asleep;     // of existing runs; replaces what was frozen before
  std::vector<DueRow> in_line;      // existing runs that wait for their turn: asleep until then at most
  std::vector<std::string> awake;   // existing runs that are taken up again; what was frozen stays
  std::vector<std::string> thawed;  // runs whose frozen state is of no use any more
  std::vector<SeenRow> seen;        // a key that is there already is left alone
  std::vector<CursorRow> cursors;   // replaces
  std::vector<ForgetRow> forget;
  std::vector<StateRow> states;           // replaces
  std::vector<ForgetRow> forget_states;   // as `forget`, by the times of the events
  std::vector<OnceRow> once;              // replaces; those that were over when one was taken may be gone
  std::vector<CountedCallRow> counted;    // replaces that call's; those over when one went out may be gone
  std::vector<CountedCallRow> uncounted;  // given back: these calls count no longer
  std::vector<SentRow> sent;              // added to what is there; what is older than an hour may be gone
  std::vector<RestRow> rests;             // replaces, unless what is there lasts longer
  std::vector<QuestionRow> questions;     // new; an ID that exists fails the batch
  std::vector<QuestionRow> closed;        // state and what follows of existing ones; those not open stay
  std::vector<TellingRow> tellings;       // replaces
  std::vector<MessageRow> messages;       // new; a (run, number) or a (run, key) that exists fails the batch
  std::vector<TakenRow> taken;
  std::vector<DueRow> due;
  std::vector<DeploymentRow> deployments;  // new; their numbers are given
  std::vector<MetaRow> meta;               // replaces
  std::vector<AuditRow> audit;             // added behind all that are there, in this order

  bool empty() const {
    return modules.empty() && runs.empty() && changed_runs.empty() && journal.empty() && asleep.empty() &&
           in_line.empty() && awake.empty() && thawed.empty() && seen.empty() && cursors.empty() &&
           forget.empty() && states.empty() && forget_states.empty() && once.empty() && counted.empty() &&
           uncounted.empty() && sent.empty() && rests.empty() && questions.empty() && closed.empty() &&
           tellings.empty() && messages.empty() && taken.empty() && due.empty() && deployments.empty() &&
           meta.empty() && audit.empty();
  }
};

inline constexpr std::uint32_t kMaxListedRuns = 10'000;
struct RunFilter {
  std::string tenant;  // empty: all
  std::string flow;    // empty: all
  std::optional<RunState> state;
  std::string machine;        // empty: all; else of events about it
  std::string event;          // empty: all; else the key of the event, as an alert's ID
  std::int64_t since_us = 0;  // created at or after
  std::int64_t until_us = 0;  // created before; 0: until now
  std::string before_id;      // only older ones: the last ID of the page before; empty for the first page
  std::uint32_t limit = 100;  // at most kMaxListedRuns
};

struct QuestionFilter {
  std::string tenant;                       // empty: all
  std::string run;                          // empty: all
  std::optional<QuestionRow::State> state;  // nothing: all
  std::string before_id;                    // as of RunFilter
  std::uint32_t limit = 100;                // at most kMaxListedRuns
};

// Which runs need not be kept: those that ended before a time, and that no other run may still ask about.
struct PruneOrder {
  std::int64_t ended_before_us = 0;
  std::string after;           // looked at are runs with a greater ID, by ID
  std::uint32_t runs = 256;    // looked at, at most
  std::uint32_t rows = 2'000;  // of journals that go; the run that reaches this is the last
};
struct Pruned {
  std::uint32_t runs = 0;            // that are gone
  std::string last;                  // the last that was looked at; empty: there are no more
  std::vector<std::string> modules;  // that runs need which were looked at and stay: hashes, each once
};

// Methods may block for the time a disk takes. An Error names the store and what went wrong; after a failed
// commit() nothing of the batch was written.
class Store {
 public:
  virtual ~Store() = default;

  // All or nothing; when it returns well, the batch survives the death of the process and of the machine.
  virtual Status commit(const Batch& batch) = 0;

  virtual Result<std::optional<std::string>> module(std::string_view hash) = 0;  // its bytes
  // ModuleRow::conditions; nothing when none were stored with it.
  virtual Result<std::optional<std::string>> conditions_of(std::string_view hash) {
    static_cast<void>(hash);
    return std::optional<std::string>();
  }
  virtual Result<std::optional<RunRow>> run(std::string_view id) = 0;
  // The ID of the run that the event with this key started; nothing when there is none.
  virtual Result<std::optional<std::string>> run_of(std::string_view tenant, std::string_view flow,
                                                    std::string_view trigger, std::string_view key) = 0;
  // From that entry on, by sequence.
  virtual Result<std::vector<JournalRow>> journal(std::string_view run, std::uint32_t from) = 0;
  virtual Result<std::uint32_t> journal_length(std::string_view run) = 0;  // entries, which have no gaps
  // Runs in state Running that are awake, with an ID greater than `after`, by ID.
  virtual Result<std::vector<RunRow>> unfinished_runs(std::string_view after, std::uint32_t limit) = 0;
  // Runs in state Running that are asleep and wait for their turn (places.hpp), with an ID greater than
  // `after`, by ID.
  virtual Result<std::vector<RunRow>> runs_in_line(std::string_view after, std::uint32_t limit) = 0;
  // Runs in state Running that are asleep until `until_us` or before, those to be woken first in front.
  virtual Result<std::vector<RunRow>> sleepers(std::int64_t until_us, std::uint32_t limit) = 0;
  // When the first of those asleep is to be woken; nothing when no time wakes any.
  virtual Result<std::optional<std::int64_t>> next_wake_us() = 0;
  // The run's row when it was put to sleep last, if it ever was; its frozen state may be of before that it
  // woke.
  virtual Result<std::optional<SleepRow>> frozen(std::string_view run) = 0;
  // Runs that end leases (leases.hpp) and are in state Running, of that flow, by ID.
  virtual Result<std::vector<RunRow>> open_leases(std::string_view tenant, std::string_view flow) = 0;
  virtual Result<std::vector<RunRow>> list_runs(const RunFilter& filter) = 0;  // newest first
  virtual Result<std::optional<CursorRow>> cursor(std::string_view tenant, std::string_view trigger) = 0;
  virtual Result<bool> is_seen(std::string_view tenant, std::string_view trigger, std::string_view key) = 0;
  virtual Result<std::optional<StateRow>> last_state(std::string_view tenant, std::string_view trigger,
                                                     std::string_view id) = 0;
  // Until when the key is taken; 0 when it is not known.
  virtual Result<std::int64_t> once_until(std::string_view tenant, std::string_view flow,
                                          std::string_view key) = 0;
  // Calls of that operation by runs of that flow that went out after `after_us`, in no order.
  virtual Result<std::vector<CountedCallRow>> counted_calls(std::string_view tenant, std::string_view flow,
                                                            std::string_view operation,
                                                            std::int64_t after_us) = 0;
  // Of that second and later, by bucket and second.
  virtual Result<std::vector<SentRow>> sent_calls(std::int64_t from_second) = 0;
  virtual Result<std::vector<RestRow>> rests(std::int64_t after_us) = 0;  // that last longer
  virtual Result<std::optional<QuestionRow>> question(std::string_view id) = 0;
  virtual Result<std::vector<QuestionRow>> list_questions(const QuestionFilter& filter) = 0;  // newest first
  // In state Wanted or Out, of a question with a greater ID than `after`, or the same and a later person.
  virtual Result<std::vector<TellingRow>> untold(std::string_view after, std::int64_t after_person,
                                                 std::uint32_t limit) = 0;
  virtual Result<std::vector<TellingRow>> tellings(std::string_view question) = 0;  // by person
  // The first with a number greater than `after` that nobody has taken.
  virtual Result<std::optional<MessageRow>> next_message(std::string_view run, std::string_view name,
                                                         std::uint32_t after) = 0;
  virtual Result<bool> has_message(std::string_view run, std::string_view key) = 0;
  struct MessageCounts {
    std::uint32_t last = 0;  // the greatest number
    std::uint32_t kept = 0;  // not taken yet
  };
  virtual Result<MessageCounts> message_counts(std::string_view run) = 0;
  // By number. An empty tenant or flow means all.
  virtual Result<std::vector<DeploymentRow>> deployments(std::string_view tenant, std::string_view flow) = 0;
  virtual Result<std::optional<std::string>> meta(std::string_view key) = 0;
  // Rows of the audit trail with a greater number than `after`, by number.
  virtual Result<std::vector<AuditLine>> audit(std::uint64_t after, std::uint32_t limit) = 0;

  // Work that a later commit would have to do and wait for, while there is nothing else to do. It changes
  // nothing that can be read.
  virtual Status tidy() = 0;

  // Each is a commit of its own. The runs go with all that is theirs: journals, questions, messages.
  virtual Result<Pruned> prune_runs(const PruneOrder& order) = 0;
  // All modules but these; how many.
  virtual Result<std::uint32_t> prune_modules(const std::vector<std::string>& needed) = 0;
  // The oldest rows of the audit trail, as far as they are of before that time, `limit` at most; how many.
  // A row about it is added, from which the rest can be verified.
  virtual Result<std::uint32_t> prune_audit(std::int64_t before_us, std::uint32_t limit,
                                            std::int64_t now_us) = 0;
};

}  // namespace flow
