// The tenant in virtual time, as the runtime sees it through its Executor: it carries out acts after a while,
// or not, and answers later, or never, or says that it failed when it did not. What it truly did is its
// record, with which a journal can be compared. Its time is the world's, which no setting of a machine's
// clock changes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "runtime/executor.hpp"

namespace flow::test {

inline constexpr std::int64_t kSecond = 1'000'000;
inline constexpr std::int64_t kMinute = 60 * kSecond;
inline constexpr std::int64_t kHour = 60 * kMinute;

// One in so many calls; 0 is never.
struct Weather {
  std::uint32_t throttled = 0;     // 429, with a time to rest
  std::uint32_t unavailable = 0;   // 503: not carried out
  std::uint32_t lying = 0;         // 500: carried out all the same
  std::uint32_t lost_request = 0;  // nothing happens, no answer
  std::uint32_t lost_answer = 0;   // it is carried out, no answer
  std::uint32_t broken = 0;        // the connection ends at once; the server may go on with it
  std::uint32_t silent = 0;        // of what has no answer: not even our own end notices
  std::uint32_t garbled = 0;       // carried out; the answer is no JSON
  std::uint32_t refused = 0;       // 404: for good
  std::uint32_t doubled = 0;       // the answer comes twice
  std::uint32_t slow = 0;          // takes up to 25 s
};

struct Deed {
  std::string operation, key, arguments;
  std::int64_t time_us = 0;  // when it was carried out first
  std::uint32_t times = 0;
  bool may_be_repeated = false;  // as its declaration says
};

struct TenantCounts {
  std::uint64_t calls = 0, acts = 0, throttled = 0, unavailable = 0, lying = 0, lost_requests = 0,
                lost_answers = 0, broken = 0, garbled = 0, refused = 0, doubled_answers = 0, slow = 0,
                lookups = 0, lists = 0;
  TenantCounts& operator+=(const TenantCounts& other);
};

class Tenant final : public Executor {
 public:
  explicit Tenant(std::uint64_t seed) : random_(seed) {}

  void perform(OperationCall call, std::function<void(Outcome)> done) override;
  void progress(OperationCall call, std::string result, std::function<void(Outcome)> done) override;
  void progress_of_several(std::vector<BegunCall> calls, std::function<void(Outcome)> done) override;
  void settle(OperationCall call, std::function<void(Settlement)> done) override;

  void set_weather(const Weather& weather) { weather_ = weather; }
  // Created `ago_us` before it can be seen.
  void add_alert(const std::string& id, const std::string& title, const std::string& machine,
                 std::int64_t ago_us);
  // Carries on until then.
  void pass_until(std::int64_t time_us);
  std::int64_t next_us() const;  // when something happens
  std::int64_t now_us() const { return now_us_; }
  // The process at the other end has died: what it asked for is carried out, or got lost on its way.
  void cut_connections();

  const std::map<std::string, Deed>& deeds() const { return deeds_; }  // by key
  // When each call that acts or notifies was let go last, by key.
  const std::map<std::string, std::int64_t>& sent() const { return sent_; }
  // The most calls of one API within a minute, all from one process.
  const std::map<std::string, std::size_t>& most_in_a_minute() const { return most_in_a_minute_; }
  const TenantCounts& counts() const { return counts_; }
  // Told of each act and mail that is carried out.
  std::function<void(const Deed& deed)> on_done;
  // Told of each call that goes out.
  std::function<void(const OperationCall& call)> on_sent;
  // Whether the process that calls is dead and does not know it yet: it reaches nobody.
  std::function<bool()> is_cut;

 private:
  struct Alert {
    std::string json;
    std::int64_t created_us = 0;
  };
  struct Event {
    std::function<void()> what;
    bool is_answer = false;
  };
  void count_against_quota(const std::string& connector);
  void at(std::int64_t time_us, bool is_answer, std::function<void()> what);
  bool happens(std::uint32_t one_in) { return one_in != 0 && random_() % one_in == 0; }
  std::int64_t up_to(std::int64_t us) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(us));
  }
  std::int64_t latency();
  void carry_out(const OperationCall& call);
  std::string progress_of(const std::string& key) const;
  std::string result_of(const OperationCall& call) const;
  std::string page(const std::string& arguments) const;
  void answer(std::int64_t time_us, const std::function<void(Outcome)>& done, Outcome outcome);
  Fault fault(FaultKind kind, bool maybe_executed, std::int64_t retry_after_us = 0) const;

  std::mt19937_64 random_;
  Weather weather_;
  std::int64_t now_us_ = 0;
  std::multimap<std::int64_t, Event> events_;
  std::vector<Alert> alerts_;
  std::map<std::string, Deed> deeds_;
  std::map<std::string, std::int64_t> sent_;
  std::map<std::string, std::deque<std::int64_t>> recent_;  // by connector
  std::map<std::string, std::size_t> most_in_a_minute_;
  TenantCounts counts_;
};

}  // namespace flow::test
