// Answers that people give to a run's questions, and messages that are sent to it: what is asked of the
// runtime from outside, and what becomes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/store.hpp"

namespace flow {

// What answers a question of kind Approve or Admit.
inline constexpr const char* kApprove = "approve";
inline constexpr const char* kRefuse = "refuse";

struct AnswerRequest {
  std::string question;  // its ID
  std::string answer;    // one of its options
  std::string by;        // one of the people it was put to; upper and lower case are the same
  std::string via;       // from where the answer comes: `link`, `api`, `command line`
};
struct AnswerReply {
  enum class How : std::uint8_t {
    Recorded,      // it is durable, and it is the answer
    Already,       // somebody was faster: `question` says who and what
    Expired,       // too late
    Withdrawn,     // the run does not want to know any more
    NotFound,      // there is no such question
    NotAsked,      // it was put to others
    NoSuchOption,  // it cannot be answered so
    Stopping,      // this process ends
  };
  How how = How::Stopping;
  QuestionRow question;  // as it is now; nothing of it when there is none
  std::string problem;   // for a person; empty when Recorded
};
// Called once, on the loop's thread or on the asker's. Must be quick and must not call back into the runtime.
using AnswerDone = std::function<void(AnswerReply)>;

// What becomes of an answer that comes now. Recorded: `question` is what is to be committed.
AnswerReply judge_answer(const std::optional<QuestionRow>& question, const AnswerRequest& request,
                         std::int64_t now_us);

// Answers on a store that no runtime has open; the run goes on when the next one starts. The Error is the
// store's.
Result<AnswerReply> answer_in_store(Store& store, const AnswerRequest& request, std::int64_t now_us);

inline constexpr std::size_t kMaxMessageBytes = 256 << 10;
inline constexpr std::size_t kMaxMessageName = 200;
inline constexpr std::size_t kMaxMessageKey = 512;
inline constexpr std::uint32_t kMaxKeptMessages = 1000;  // of one run, that it has not taken

struct MessageRequest {
  std::string run;
  std::string name;     // what the flow calls it: `receive("callback")`
  std::string payload;  // JSON
  std::string key;      // what comes twice with one key is one message; empty: each time a new one
  std::string from;     // who sends it, for the record
};
struct MessageReply {
  enum class How : std::uint8_t {
    Kept,      // it is durable: the run has it, or will when it asks for one of this name
    Known,     // the same, from before
    NotFound,  // there is no such run
    Over,      // the run has ended
    Refused,   // not well-formed, or too large
    Full,      // the run keeps too many already
    Stopping,
  };
  How how = How::Stopping;
  std::string problem;  // empty when Kept or Known
};
using MessageDone = std::function<void(MessageReply)>;

// What is wrong with the message itself; nothing when it is fit to be sent.
std::optional<std::string> message_problem(const MessageRequest& request);

}  // namespace flow
