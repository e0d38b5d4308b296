// Which questions how far awaited calls are may be asked by one call. Questions of one group (what makes a
// group is the loop's affair, asking_together.cpp) either rest until they are due, or stand in line for the
// quota. When the turn of one has come it takes along others: all that stand in line, and those that rest and
// have done so for half of their time. So nobody is asked later than without the others, and who came to rest
// together stays together.
//
// Of a group whose list was refused, or fails, or tells nothing, each is asked alone for a while.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flow {

class ProgressGroups {
 public:
  static constexpr std::int64_t kAloneWhenRefusedUs = 3'600'000'000;
  static constexpr std::int64_t kAloneWhenFailingUs = 600'000'000;
  static constexpr std::uint32_t kMostFailures = 2;  // in a row that may pass by themselves

  // A question about one call of one run.
  struct Question {
    std::string run;
    std::uint64_t life = 0;  // of the run in memory that wants it
    std::uint32_t number = 0;
    std::uint32_t refusals = 0;  // answers in a row that were faults which do not pass
    std::uint32_t misses = 0;    // lists that had nothing of it
    std::uint64_t ticket = 0;    // in line; 0 while it rests
  };
  // One that rests, for whoever has set the clock for it.
  struct Rest {
    std::string group;
    std::int64_t due_us = 0;
    std::uint64_t number = 0;
  };

  Rest rest(const std::string& group, Question question, std::int64_t now_us, std::int64_t due_us);
  // It is due; nothing when it was taken along meanwhile.
  std::optional<Question> wake(const Rest& rest);
  // It stands in line with its ticket, until it goes out, is taken along or is wanted by nobody any more.
  void note_in_line(const std::string& group, Question question);
  void leave_line(const std::string& group, std::uint64_t ticket);
  // Those that go along with one that goes out now: first who stands in line, then who is due first.
  std::vector<Question> take_along(const std::string& group, std::size_t at_most, std::int64_t now_us);

  enum class Answer : std::uint8_t { Told, ToldNothing, Failed, Refused };
  void note(const std::string& group, Answer answer, std::int64_t now_us);

 private:
  struct Resting {
    Question question;
    std::int64_t from_us = 0;  // when it may go along
  };
  struct Group {
    std::map<std::uint64_t, Question> in_line;                          // by ticket
    std::map<std::pair<std::int64_t, std::uint64_t>, Resting> resting;  // by time and number
    std::uint32_t failures = 0;                                         // in a row
    std::int64_t alone_from_us = 0, alone_until_us = 0;
    bool is_idle() const {
      return in_line.empty() && resting.empty() && failures == 0 && alone_until_us == 0;
    }
  };
  void forget_if_idle(std::map<std::string, Group>::iterator group);

  std::map<std::string, Group> groups_;
  std::uint64_t next_number_ = 0;
};

}  // namespace flow
