// Equal questions are asked once. Reads of one tenant that are equal (same operation by the same route, same
// arguments, same deadline) and are in flight together share one call, and for a short time afterwards its
// answer serves equal reads as well.
//
// An act of the tenant, whatever it acts on, makes all that is known about its reads old: what was answered
// before is forgotten, and what is still out serves only those who wait for it already. A run that has had an
// answer is not given it again: who asks twice wants to know what has changed.
//
// This says which read may be served by what; asking and answering is the loop's (sharing.cpp). It keeps
// answers up to stated sizes, in memory only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flow {

class SharedReads {
 public:
  static constexpr std::size_t kLongestAnswer = 1 << 20;  // bytes; a longer one serves nobody who comes later
  static constexpr std::size_t kMostBytes = 16 << 20;     // of all that are kept; beyond, the oldest go

  // How long after it came an answer may serve others; 0: only those who asked before it came.
  explicit SharedReads(std::int64_t reuse_us) : reuse_us_(reuse_us) {}
  // The same of answers that come from now on.
  void reuse_for(std::int64_t reuse_us) { reuse_us_ = reuse_us; }

  // What makes reads equal. `question` says all but the tenant.
  struct Key {
    std::string tenant;
    std::string question;
    auto operator<=>(const Key&) const = default;
  };

  // The answer of an equal read that may serve this run, which has had it then.
  std::optional<std::string> answer(const Key& key, const std::string& run, std::int64_t now_us);
  // The ticket of an equal read that is out, whose answer may be waited for.
  std::optional<std::uint64_t> out(const Key& key) const;

  // A read stands in line for its quota; the first of equal ones that goes out takes the others along.
  void note_waiting(const Key& key, std::uint64_t ticket);
  void forget_waiting(const Key& key, std::uint64_t ticket);
  // It goes out. Gives the tickets of the equal ones in line, in the order in which they came; they wait for
  // its answer from now on, and not in line any more.
  std::vector<std::uint64_t> note_out(const Key& key, std::uint64_t ticket);
  // It came back, perhaps with an answer worth keeping, which these runs have had.
  void note_back(const Key& key, std::uint64_t ticket, const std::string* answer, std::set<std::string> runs,
                 std::int64_t now_us);
  // The tenant acts, or has acted.
  void forget(const std::string& tenant);

 private:
  struct Kept {
    std::string answer;
    std::int64_t until_us = 0;
    std::uint64_t number = 0;
    std::set<std::string> runs;  // that have had it
  };
  using KeptAnswers = std::map<Key, Kept>;
  void drop(KeptAnswers::iterator kept);
  void drop_old(std::int64_t now_us);

  std::int64_t reuse_us_;
  std::map<Key, std::vector<std::uint64_t>> waiting_;
  std::map<Key, std::uint64_t> out_;
  KeptAnswers kept_;
  std::deque<std::pair<std::uint64_t, Key>> by_age_;  // with numbers of answers that may be gone
  std::size_t bytes_ = 0;
  std::uint64_t next_number_ = 0;
};

}  // namespace flow
