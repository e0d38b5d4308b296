// The inside of Runtime. One turn: take the answers that came in, fire what is due, start runs for polled
// events, let calls go that the quotas allow, commit all that this wrote at once, and only then send the
// calls and tell the observer. The parts of a turn stand in files of their own:
//
//   loop.cpp          the turn itself
//   calls.cpp         asking, sending, answers, retries
//   sharing.cpp       reads that runs share
//   admission.cpp     policies of flows, asked before each call
//   protecting.cpp    those of the deployment
//   turns.cpp         runs that wait for their turn, runs whose time is over
//   awaiting.cpp      how long-running actions end
//   asking_together.cpp   how far several of them are
//   system_calls.cpp  what the runtime answers itself
//   leasing.cpp       what is undone after a time
//   sleeping.cpp      runs that only wait, from memory to the store and back
//   asking.cpp, telling.cpp, messages.cpp            people who are asked and told, messages to runs
//   previous.cpp      what was before a change
//   polling.cpp, schedules.cpp, requests.cpp, following.cpp   what starts runs
//   controlling.cpp   what people do to runs
//   reconfiguring.cpp a new configuration
//   measuring.cpp     metrics
//   starting.cpp      events to runs
//   deploying.cpp     which flows are live
//   recovery.cpp      stored runs to memory
//   pruning.cpp       what need not be kept
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/call_counts.hpp"
#include "runtime/deadlines.hpp"
#include "runtime/deployment.hpp"
#include "runtime/inbox.hpp"
#include "runtime/leases.hpp"
#include "runtime/limiter.hpp"
#include "runtime/metrics.hpp"
#include "runtime/places.hpp"
#include "runtime/progress_groups.hpp"
#include "runtime/run.hpp"
#include "runtime/run_id.hpp"
#include "runtime/runtime.hpp"
#include "runtime/shared_reads.hpp"
#include "runtime/starting.hpp"

namespace flow {

class Runtime::Loop {
 public:
  Loop(Store& store, const Clock& clock, Random& random, Executor& executor, Engine& engine,
       RuntimeOptions options, RuntimeObserver* observer);

  Result<std::string> deploy(const std::string& tenant, std::string_view module_bytes,
                             std::string_view settings_json);
  Status deploy(const DeploySet& set);
  void change_deployment(std::vector<DeployRequest> requests, DeployDone done);
  Status recover();
  Status run();
  void answer(AnswerRequest request, AnswerDone done);
  void send(MessageRequest request, MessageDone done);
  void control(ControlRequest request, ControlDone done);
  void reconfigure(Reconfiguration wanted, ReconfigureDone done);
  void metrics(std::function<void(std::string)> done);
  std::uint64_t turns() const { return turns_made_.load(std::memory_order_relaxed); }
  bool is_ready() const { return is_ready_.load(std::memory_order_relaxed); }
  void stop() { inbox_->stop(); }
  void start(StartRequest request, StartDone done);
  Result<bool> step();
  Status run_until_idle(std::uint64_t turns);
  std::int64_t next_wake_us() const;
  Status drain(std::int64_t deadline_us);
  const Counters& counters() const { return counters_; }
  std::size_t runs_in_memory() const { return runs_.size(); }
  std::size_t calls_in_flight() const { return in_flight_; }

 private:
  // A run that is served by the call of another.
  struct Sharer {
    std::string run;
    std::uint64_t life = 0;
    std::uint32_t number = 0;
    bool came_later = false;  // than the call went out
  };
  // A call of a run or of a poll, from the moment it is wanted until its answer is taken.
  struct Pending {
    enum class Purpose : std::uint8_t { Perform, Settle, Progress, Poll, Tell, SettleTelling, Facts };
    Purpose purpose = Purpose::Perform;
    std::string owner;         // the run's ID, the key of the source or of facts, or the question's ID
    std::uint64_t life = 0;    // of the run in memory that wants it
    std::uint32_t number = 0;  // of the run's call, or of the question's person
    std::shared_ptr<const Module> module;
    OperationCall call;
    std::string bucket;
    std::string host;  // that it goes to, with the tenant
    std::string flow;  // with whose other calls it stands in line; empty: of nobody's
    Policies::Priority priority = Policies::Priority::Normal;
    bool is_sent = false;
    std::int64_t sent_us = 0;
    std::int64_t silent_at_us = 0;  // once it is sent
    std::optional<Fault> doubt;     // Settle: the fault that raised the question; nothing after a crash
    std::uint32_t tries = 0;        // Settle, Progress: in a row without success
    std::uint64_t rules = 0;        // Perform: of which protections it was asked about
    std::optional<std::uint32_t> counts_as;  // the operation whose quota it uses, if not its own
    std::optional<SharedReads::Key> read;    // of a read that others may share …
    std::vector<Sharer> sharers;             // … who do
    std::string group;         // Progress: with which it may be asked together; empty: with none …
    std::uint32_t misses = 0;  // … as in a ProgressGroups::Question
    std::vector<ProgressGroups::Question> questions;  // … that are asked along with it
    std::vector<BegunCall> begun;  // … of them all, its own first; empty when it is alone
    std::vector<std::shared_ptr<const Module>> modules;  // … that these are of

    bool is_of_run() const { return purpose != Purpose::Poll && purpose != Purpose::Facts && !is_telling(); }
    bool is_telling() const { return purpose == Purpose::Tell || purpose == Purpose::SettleTelling; }
    bool asks_whether() const { return purpose == Purpose::Settle || purpose == Purpose::SettleTelling; }
  };
  // A mail to one person about one question, until it is sent or given up.
  using TellingId = std::pair<std::string, std::uint32_t>;  // the question's ID, the person's place
  struct Telling {
    std::string tenant;
    std::string flow;
    std::string run;
    std::string person;
    std::shared_ptr<const Module> module;
    std::uint32_t operation = 0;
    std::string arguments;
    std::uint32_t failures = 0;
    std::uint32_t settle_tries = 0;
    std::int64_t sent_us = 0;
    bool is_out = false;
  };
  // People who are asked before a call is made.
  struct Approval {
    std::vector<std::string> people;
    std::string subject;
    std::string details;         // text
    std::int64_t within_us = 0;  // 0: until somebody answers
  };
  // One trigger of one tenant: a single poll feeds all its subscribers.
  struct Source {
    std::string tenant;
    std::string trigger;
    std::shared_ptr<const Module> module;  // of the subscriber deployed last: whose declaration is polled by
    const Trigger* declaration = nullptr;  // in `module`
    std::uint32_t operation = 0;           // in `module`
    std::vector<Subscriber> subscribers;
    EventFields fields;         // what they read of an event
    bool keeps_states = false;  // some of them read `previous`
    ParsedEvent event;          // the one being dispatched
    std::unique_ptr<EventReader> reader;
    std::deque<PolledEvent> events;  // of the page read last, not yet dispatched
    bool has_page = false;           // a page is being worked through
    std::uint32_t failures = 0;
    std::int64_t next_us = kNever;  // of the next poll; kNever while one is under way
    bool has_tried = false;         // to poll, whatever came of it
    std::int64_t polled_us = 0;     // when a poll last came to its end
    PollReport report;
  };
  using Sources = std::map<std::string, Source>;
  // A flow that starts on something else than what is polled.
  struct Deployed {
    Subscriber subscriber;
    std::uint64_t version = 0;  // tells it from what was deployed under its name before
    CursorRow cursor;           // of a schedule: how far it has fired
  };

  // loop.cpp
  Status turn(bool& has_worked);
  void follow_clock(std::int64_t now_us);
  bool fire_timers(std::int64_t now_us);
  Status commit();
  Status commit_now(const Batch& batch);
  Status tidy_up(std::int64_t now_us, bool has_worked);
  void settle_new_runs();
  void after_commit(std::function<void()> notice);
  void when_durable(std::function<void()> notice) { notices_.push_back(std::move(notice)); }
  // Into the commit of this turn, before it is made.
  void follow_up(std::function<Status()> what) { follow_ups_.push_back(std::move(what)); }
  Status follow_up_all();
  void fail_store(const Error& problem);  // the loop ends with it, and this turn is not committed
  void at(std::int64_t time_us, std::function<void()> what) { timers_.emplace(time_us, std::move(what)); }
  // The same for a call of a run: nothing, if the run does not wait for it any more, or left memory
  // meanwhile.
  void at(std::int64_t time_us, const Run& run, std::uint32_t number, std::function<void(Run&)> what);
  Result<std::shared_ptr<const Module>> module_of(const std::string& hash);
  Run* run(const std::string& id);
  Run& keep(std::unique_ptr<Run> run);  // in memory, from now on
  bool has_room() const;                // there, for one more run
  // The same for a run of this tenant; `runs` has how many there are of each tenant that could start some.
  using Crowd = std::map<std::string, std::size_t>;
  bool has_room_for(const std::string& tenant, const Crowd& runs) const;
  Crowd crowd() const;
  void collect(Run& run);  // moves what it wrote into the batch
  std::string permission_for(const std::string& tenant, const Operation& operation) const;
  void settle_run(Run& run);  // after it went on: asks for its next calls, or lets go of it
  void note_over(const RunRow& row);
  void health(HealthEvent::Kind kind, const std::string& tenant, const std::string& subject,
              std::string message);

  // measuring.cpp
  void measure_now();
  void note_turned(std::int64_t began_us, bool has_worked);
  void note_answer(const Pending& pending, const Outcome& outcome);

  // calls.cpp
  std::uint64_t ask(Pending pending);            // its ticket
  void ask_for(Run& run, std::uint32_t number);  // a call it waits for, when its time has come
  void ask_now(Run& run, std::uint32_t number);
  void ask_whether(Run& run, std::uint32_t number, std::optional<Fault> doubt, std::uint32_t tries);
  std::int64_t settle_in_us(std::int64_t sent_us, std::int64_t deadline_us) const;
  Run* waiting_run(const std::string& id, std::uint32_t number);
  Run* owner_of(const Pending& pending);
  Run* owner_of(const Sharer& sharer);
  Run* owner_of(const ProgressGroups::Question& question);
  Pending pending_for(const Run& run, std::uint32_t number) const;
  RetryPolicy policy_of(const Run& run, std::uint32_t number) const;
  bool release_calls(std::int64_t now_us);
  bool let_go(std::uint64_t ticket, std::int64_t now_us);
  void send_calls();
  bool take_answers();
  void give_up_on_silent_calls(std::int64_t now_us);
  void take(std::uint64_t ticket, std::variant<Outcome, Settlement> what);
  void take_for(Run& owner, const Pending& pending, const std::variant<Outcome, Settlement>& what);
  void take_outcome(Run& run, const Pending& pending, const Outcome& outcome);
  void take_fault(Run& run, std::uint32_t number, const Fault& fault, std::uint32_t tries);
  void take_settlement(Run& run, const Pending& pending, const Settlement& settlement);
  void retry(Run& run, std::uint32_t number, const Fault& fault);
  void finish_call(Run& run, std::uint32_t number, const Outcome& outcome, bool is_settled);
  void park(Run& run, std::string reason);
  void note_back(std::uint64_t ticket, const Pending& pending, const Fault* fault);
  void note_throttled(const Pending& pending, const Fault& fault);
  std::string host_of(const Pending& pending) const;
  std::size_t route_of(const std::string& tenant, const Operation& operation) const;
  const Quota& quota_of(const Pending& pending) const;
  static bool is_act(const Pending& pending);

  // sharing.cpp: reads that runs share
  const std::string& fingerprint_of(const std::shared_ptr<const Module>& module, std::uint32_t operation,
                                    std::size_t route);
  std::optional<SharedReads::Key> shared_as(const Run& run, std::uint32_t number, const Pending& pending);
  bool is_served_by_another(Run& run, std::uint32_t number, const SharedReads::Key& key);
  void take_along(std::uint64_t ticket, Pending& pending);
  void answer_shared(Run& run, std::uint32_t number, const Outcome& outcome);
  void note_read_back(std::uint64_t ticket, const Pending& pending, const Outcome& outcome);
  void answer_sharers(const Pending& pending, const Outcome& outcome);

  // awaiting.cpp: calls whose answer is how that ended which they began
  static bool is_still_to_end(const Run& run, std::uint32_t number, const Outcome& outcome);
  void begin_following(Run& run, std::uint32_t number, std::string result);
  void follow(const Run& run, std::uint32_t number);
  Pending progress_pending(const Run& run, std::uint32_t number) const;
  static ProgressGroups::Question question_of(const Pending& pending);
  void ask_progress_later(const Run& run, const ProgressGroups::Question& question);
  void ask_progress(const Run& run, const ProgressGroups::Question& question, bool may_share);
  void take_progress(Run& run, ProgressGroups::Question question, const Outcome& outcome);

  // asking_together.cpp: several of them at once
  std::string progress_group(const Pending& pending);
  static bool may_ask_together(const ProgressGroups::Question& question);
  void ask_progress_at(std::int64_t time_us, const std::string& group,
                       const ProgressGroups::Question& question);
  void take_questions_along(std::uint64_t ticket, Pending& pending, std::int64_t now_us);
  void note_begun(Pending& pending, const Run& run, std::uint32_t number);
  void take_progress_of_several(const Pending& pending, const Outcome& outcome);

  // admission.cpp. False: it was answered in the place of the world, or is held until people have answered;
  // then settle_run() is to follow.
  bool admit(Run& run, std::uint32_t number);
  bool admit_under_limit(Run& run, std::uint32_t number, std::int64_t now_us);
  static Approval beyond_limit(const Run& run, std::uint32_t number, const Policies::Limit& limit);
  bool admit_performing(Run& run, std::uint32_t number, bool starts_runs, std::int64_t now_us);
  void answer_instead(Run& run, std::uint32_t number, AnsweredBy by, const Outcome& outcome);
  bool is_recorded_only(const Run& run) const;
  static Outcome answer_of_nobody(const Run& run, std::uint32_t number);
  static Returned stand_in(const Run& run, std::uint32_t number, std::int64_t now_us);
  void note_counted(const Run& run, std::uint32_t number, std::int64_t now_us);
  void note_answered(const Run& run, std::uint32_t number, const Outcome& outcome);

  // turns.cpp
  void enter_line(Run& run);
  void leave_line(const RunRow& row);
  void grant_turns(const Places::Line& line);
  Status give_turns(bool& has_worked);
  void note_moving(Run& run);
  void let_wait(const Run& run);
  void forget_waiting();
  Result<Run*> in_memory(const std::string& id);
  void set_deadline(const Run& run);
  static bool is_overdue(const Run& run, std::int64_t now_us);
  bool is_too_late(const Run& run, std::uint32_t number, std::int64_t now_us);
  void answer_too_late(Run& run, std::uint32_t number);
  Status end_overdue(std::int64_t now_us, bool& has_worked);

  // system_calls.cpp: what the runtime answers by itself
  void answer_here(Run& run, std::uint32_t number);
  void rest_until_due(Run& run, std::uint32_t number, std::int64_t now_us);
  void set_timer(Run& run, std::uint32_t number);
  void answer_when_due(const Run& run, std::uint32_t number, std::int64_t due_us);
  Outcome once(const Run& run, std::string_view arguments, std::int64_t now_us);
  std::string uuid();

  // protecting.cpp
  struct Facts {  // what a protection needs to know of a target
    const ProtectedKind* kind = nullptr;
    std::string tenant, target;
    std::optional<Outcome> outcome;  // nothing while it is asked for
    std::int64_t at_us = 0;
    std::uint32_t failures = 0;
    std::set<std::pair<std::string, std::uint32_t>> waiting;  // runs and their calls
  };
  Status load_protections();
  bool admit_unprotected(Run& run, std::uint32_t number);
  const Facts& facts_of(const Run& run, std::uint32_t number, const ProtectedKind& kind,
                        const std::string& target);
  void ask_facts(const std::string& key);
  void take_facts(const std::string& key, const Outcome& outcome);

  // leasing.cpp
  struct OpenLease {
    RunRow row;
    std::string event;
  };
  struct LeaseEnd {
    std::int64_t at_us = 0;
    std::string why_not;  // nothing is undone then
  };
  void open_lease(const Run& run, std::uint32_t number);
  Result<std::vector<JournalRow>> journal_of(const std::string& id);
  Result<std::string> event_of(const std::string& id);  // that the run began with
  Result<std::vector<OpenLease>> open_leases(const std::string& tenant, const std::string& flow);
  Result<LeasedCall> leased_call_of(const RunRow& lease);
  void rest_on_lease(Run& run, std::uint32_t number);
  Result<LeaseEnd> end_of_lease(const RunRow& lease, std::int64_t length_us);
  void note_leases(const Run& run, std::uint32_t number, const Outcome& outcome);
  Status end_lease(const std::string& id, const std::string& why_not);
  Result<bool> was_leased_before(const RunRow& lease, const Caller& other);
  void note_overdue(const Run& lease, const std::string& problem);

  // gathering.cpp
  struct DigestLine {
    Subscriber sender;  // the flow that sends the digest
    std::string key;    // which digest
    std::string to;     // a JSON list
    std::string subject, text;
    std::int64_t within_us = 0;
    std::string from;      // the run that says it
    std::string call_key;  // of its call
  };
  Outcome add_to_digest(const Run& run, std::uint32_t number);
  Status gather(DigestLine& line);
  Result<bool> keep_line(const DigestLine& line, const std::string& run);
  Result<std::int64_t> window_until(const std::string& tenant, const std::string& key);
  void set_window(const std::string& tenant, const std::string& key, std::int64_t until_us);
  void rest_on_digest(Run& run, std::uint32_t number);
  Result<std::string> take_lines(const Run& run, std::uint32_t number);

  // asking.cpp
  void wait_for_somebody(Run& run, std::uint32_t number);
  QuestionRow new_question(const Run& run, std::uint32_t number, QuestionRow::Kind kind) const;
  std::variant<QuestionRow, Fault> question_of(const Run& run, std::uint32_t number) const;
  Result<std::optional<QuestionRow>> question(const std::string& id);
  void open_question(const Run& run, const QuestionRow& question);
  void close_question(const std::string& id, QuestionRow::State state);
  static Outcome answer_of(const QuestionRow& answered);
  Outcome outcome_when_due(const Run& run, std::uint32_t number);
  Status take_answer(const AnswerRequest& request, const AnswerDone& done);
  void go_on_with(Run& run, const QuestionRow& answered);
  void wake_soon(const std::string& id);
  void withdraw(const Run& run, const std::vector<std::uint32_t>& calls);
  bool was_asked(const Run& run, std::uint32_t number);
  // Whether people let the run make this call, which must have no intent yet: they are asked the first time,
  // and until there is an answer or the time is over it gives nothing. Then the call is asked for again
  // (ask_for()), also after a restart: whoever holds it back asks this again. False when it cannot be asked.
  std::optional<bool> approval(Run& run, std::uint32_t number, const Approval& wanted);

  // messages.cpp
  Status take_message(const MessageRequest& request, const MessageDone& done);
  Result<MessageReply> keep_message(const MessageRequest& request);
  Result<std::optional<MessageReply>> problem_with_receiver(const std::string& id);
  Result<std::optional<MessageRow>> next_message(const std::string& run, const std::string& name);
  bool take_message_for(Run& run, std::uint32_t number, const std::string& name, bool has_row);
  void hand_message(Run& run, const std::string& name);
  Status wake_for_message(const std::string& run, const std::string& name);

  // telling.cpp
  void tell(const RunRow& run, const std::shared_ptr<const Module>& module, const QuestionRow& question,
            std::uint32_t person);
  void send_telling(const TellingId& id, Pending::Purpose purpose);
  void note_telling(const TellingId& id, TellingRow::State state, std::string problem = {});
  void audit_telling(const TellingId& id, AuditKind kind, std::string_view result, std::string detail = {});
  bool release_telling(const Pending& pending);
  void take_telling(const Pending& pending, const std::variant<Outcome, Settlement>& what);
  void ask_whether_told(const TellingId& id);
  void settle_telling(const TellingId& id, const Settlement& settlement);
  void try_telling_again(const TellingId& id, const Fault& fault, Pending::Purpose purpose);
  void end_telling(const TellingId& id);
  void fail_telling(const TellingId& id, const std::string& problem);
  void stop_telling(const std::string& question);
  Status take_up_tellings(bool& has_worked);
  Status take_up_telling(const TellingId& id, const TellingRow& row);

  // polling.cpp
  void unsubscribe(const std::string& tenant, const std::string& flow);
  Status subscribe_to_poll(Subscriber subscriber);
  Status subscribe_to_hunt(Subscriber subscriber);
  static void listen(Source& source, Subscriber subscriber);
  std::int64_t next_poll_us(const Source& source, const EventReader::Done& done) const;
  Result<Source*> source_for(const std::string& tenant, const std::shared_ptr<const Module>& module,
                             const Trigger& trigger, std::uint32_t operation);
  void poll_at(Source& source, std::int64_t time_us);
  void poll(const std::string& key);
  void ask_for_page(Source& source, std::string arguments);
  void take_page(Source& source, const Outcome& outcome);
  static std::string flows_of(const Source& source);
  void fail_poll(Source& source, const Fault& fault);
  Status dispatch_events(bool& has_worked);
  Status dispatch(Source& source, PolledEvent event);
  void finish_page(Source& source);
  static PollShape shape_of(const Source& source);
  static std::string source_key(const std::string& tenant, const std::string& trigger);

  // previous.cpp: what an event's ID said last, for flows that read `previous`
  static bool reads_previous(const Subscriber& subscriber);
  // The event with what was before it, and keeps it as what comes before the next.
  Result<std::string> with_previous(const Source& source, const PolledEvent& event);
  Result<std::optional<StateRow>> state_before(const Source& source, const PolledEvent& event);
  void forget_states(const Source& source);

  // sleeping.cpp
  std::optional<std::int64_t> may_sleep_until(const Run& run) const;
  void put_to_sleep(std::int64_t now_us);
  Status wake_due(std::int64_t now_us, bool& has_worked);
  Status wake(const std::vector<RunRow>& rows);

  // starting.cpp
  Status subscribe(Subscriber subscriber);
  Result<Begun> begin_run(Subscriber& subscriber, const Beginning& beginning);
  Result<std::optional<std::string>> run_of(const Subscriber& subscriber, const Beginning& beginning);

  // deploying.cpp
  struct NewVersion {
    std::string hash;
    std::shared_ptr<const Module> module;
    std::string settings;  // JSON object
  };
  Result<NewVersion> check_version(const std::string& tenant, std::string_view bytes,
                                   std::string_view settings, const std::set<std::string>& leaving,
                                   bool is_shadow);
  static Subscriber subscriber(const std::string& tenant, const NewVersion& version, std::uint32_t flow,
                               bool is_shadow);
  static Status check_startable(const Subscriber& subscriber);
  enum class Extent : std::uint8_t { Check, All };  // Check: says what is wrong, and changes nothing
  Result<DeployReply> carry_out(const std::vector<DeployRequest>& requests);
  Result<DeployReply> carry_out(const DeployRequest& request, Extent extent);
  Result<DeployReply> carry_out_module(const DeployRequest& request, Extent extent);
  Result<DeployReply> never_deployed(const DeployRequest& request);
  Result<DeployReply> go_back(const DeployRequest& request, Extent extent);
  Result<DeployReply> take_away(const DeployRequest& request, Extent extent);
  Status check_stored(const DeploymentRow& row);
  Status subscribe_stored(const DeploymentRow& row, bool is_shadow);
  Status deploy_file(const DeployRequest& request, const std::map<FlowKey, FlowVersions>& versions);
  Status remove(const DeploymentRow& live, const std::string& by);
  void note_deployments(const std::vector<DeploymentRow>& changes);

  // schedules.cpp
  Status read_cursor(CursorRow& cursor, const Trigger& trigger);
  void wait_for_firing(Deployed& deployed);
  Status fire(const std::string& key, std::uint64_t version);

  // requests.cpp: who asks from outside
  Status take_requests(bool& has_worked);
  Status take_request(const StartRequest& request, const StartDone& done);
  Status begin_shadow(const Subscriber& live, const Beginning& beginning);
  Deployed* wanted(const StartRequest& request, StartAnswer& answer);
  void answer_request(const StartAnswer& answer);
  bool answer_late_requests(std::int64_t now_us);
  Outcome respond(const Run& run, std::string_view arguments);

  // controlling.cpp
  Status take_control(const ControlRequest& request, const ControlDone& done);
  void carry_out(const Batch& planned, const ControlRequest& request);
  void end_cancelled(const RunRow& row, const std::vector<QuestionRow>& withdrawn,
                     const ControlRequest& request);
  Status take_up_resumed(bool& has_worked);

  // reconfiguring.cpp
  Status take_configuration(Reconfiguration wanted, const ReconfigureDone& done);
  void protect_by(Protections protections, std::shared_ptr<const Module> rules);
  void ask_again(const std::string& id, std::uint32_t number);

  // following.cpp: what the end of a run leads to, and runs that others call
  void follow_end(const Run& run);
  void follow_cancel(const RunRow& row, const CancelledEntry& cancelled);
  void tell_waiting(const RunRow& row);
  void answer_caller(const RunRow& row, const Outcome& outcome);
  Status start_after_failure(const RunRow& failed, const Ended& ended);
  Result<std::vector<RunRow>> callers(RunRow row);
  void call_flow(const Run& run, std::uint32_t number);
  Status start_child(const std::string& parent, std::uint32_t number);
  Result<std::variant<Begun, Fault>> begin_child(const Run& parent, const Beginning& beginning,
                                                 const std::string& flow);
  void wait_for_child(const Run& parent, std::uint32_t number);
  Status answer_from_child(Run& parent, std::uint32_t number, const std::string& child);
  Result<std::optional<RunRow>> row_of(const std::string& id);

  // pruning.cpp: what need not be kept any more goes, when there is nothing else to do
  void begin_pruning();
  Status prune_some(std::int64_t now_us, bool& has_worked);
  void forget_modules(const std::set<std::string>& needed);

  // recovery.cpp
  Status recover_some(bool& has_worked);
  bool has_only_rested(const RunRow& row, const std::vector<JournalRow>& journal);
  Status take_up(RunRow row, bool is_restart);
  Result<std::unique_ptr<Run>> thaw(const RunRow& row, const std::shared_ptr<const Module>& module,
                                    std::uint32_t flow);
  void take_up_replayed(Run& run);
  Status restore_quotas();
  void park_unread(const RunRow& row, std::uint32_t sequence, std::string reason);

  Store& store_;
  const Clock& clock_;
  Random& random_;
  Executor& executor_;
  Engine& engine_;
  RuntimeOptions options_;
  RuntimeObserver* observer_;
  const bool tells_steps_;  // to the observer

  RunIds ids_;
  std::shared_ptr<Inbox> inbox_;
  Limiter limiter_;
  SharedReads reads_;
  ProgressGroups progress_;
  std::map<std::tuple<std::shared_ptr<const Module>, std::uint32_t, std::size_t>, std::string>
      fingerprints_;  // of operations by their routes
  Counters counters_;
  Metrics metrics_;
  std::atomic<std::uint64_t> turns_made_{0};  // the two that other threads read
  std::atomic<bool> is_ready_{false};
  std::int64_t began_us_ = 0;  // when this process did
  std::multimap<std::int64_t, std::function<void()>> timers_;
  std::int64_t last_turn_us_ = 0;
  Sources sources_;
  std::map<std::string, Deployed> deployed_;  // by tenant and flow
  std::uint64_t versions_ = 0;
  std::string next_source_;  // whose events are dispatched first in the next turn
  std::map<std::string, std::shared_ptr<const Module>> modules_;  // by hash
  std::unordered_map<std::string, std::unique_ptr<Run>> runs_;    // by ID
  std::uint64_t lives_ = 0;

  std::uint64_t next_ticket_ = 1;
  std::unordered_map<std::uint64_t, Pending> pending_;
  std::set<std::pair<std::int64_t, std::uint64_t>> silent_at_;  // when to give up on which ticket
  std::size_t in_flight_ = 0;

  Batch batch_;
  Batch committed_;                             // for the notices about it
  std::map<std::string, std::string> begun_;    // IDs of the runs in the batch, by what they are unique by
  std::vector<std::uint64_t> sends_;            // calls whose intents are in the batch
  std::vector<std::function<void()>> notices_;  // for the observer and who asked, once the batch is durable
  std::deque<std::function<Status()>> follow_ups_;
  std::set<std::string> awaited_;  // calls of flows under way, by their keys
  struct Responder {
    StartDone done;
    std::int64_t until_us = 0;
  };
  std::map<std::string, Responder> responders_;                    // who waits for the run to respond
  std::set<std::pair<std::int64_t, std::string>> responds_until_;  // the same, by time

  std::deque<std::string> resumed_;  // runs that people let go on or have asked for, not yet taken up

  std::set<std::string> drowsy_;  // runs that wait for a time and have no timer yet
  std::int64_t next_sleeper_us_ = kNever;

  std::shared_ptr<const Module> protecting_;  // the module of the protections; none without them
  std::uint64_t rules_ = 0;                   // tells the protections of now from those before
  std::map<std::string, Facts> facts_;
  CallCounts counts_;
  Places places_;
  std::vector<std::string> turns_;           // runs that have got a place and do not know it yet
  std::vector<std::string> leaving_memory_;  // once the batch is durable
  Deadlines deadlines_;
  std::map<std::string, std::int64_t> overdue_;  // runs over their deadline: until when they may clean up

  struct Pruning {
    std::int64_t next_us = kNever;
    std::int64_t overdue_us = kNever;  // from then on also when there is something else to do
    bool is_under_way = false;
    std::string after;              // looked at up to this run
    std::set<std::string> modules;  // that are needed
  };
  Pruning pruning_;
  std::int64_t tidy_us_ = kNever;       // when there is something to tidy up
  std::uint64_t tidied_at_commit_ = 0;  // the last that it was put off for

  std::map<TellingId, Telling> tellings_;
  bool is_retelling_ = false;
  std::pair<std::string, std::int64_t> retold_to_{"", -1};
  Status store_problem_;

  bool is_recovering_ = false;
  bool has_taken_up_all_ = true;  // that were unfinished when this process began
  std::string taken_up_to_;       // the ID of the last of them
  bool was_closed_ = true;        // the process before this one ended in good order
  bool died_taking_up_ = false;   // the process before this one, of runs that were unfinished
  bool is_taking_up_ = false;     // this one says so in the store
  std::string recovered_to_;
  bool is_draining_ = false;
};

}  // namespace flow
