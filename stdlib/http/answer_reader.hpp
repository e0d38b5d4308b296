// Reads one answer as an HTTP library hands it over, header by header and piece by piece, within its bounds.
// What makes an answer unbelievable ends it at once: the library is told to stop, and the problem says why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stdlib/http/transport.hpp"

namespace flow {

// Takes the framing off a body in chunks. A chunk that would pass the limit is refused when it is announced.
class ChunkDecoder {
 public:
  enum class State : std::uint8_t {
    Size,
    Extension,
    Data,
    DataEnd,
    Trailer,
    TrailerLine,
    End,
    Malformed,
    TooLarge
  };
  // Appends to `body`, which never grows beyond `limit`. False once nothing more is taken: Malformed or
  // TooLarge.
  bool take(std::string_view bytes, std::string& body, std::size_t limit);
  State state() const { return state_; }

 private:
  void take_size(char c);
  void begin_data(std::size_t room);

  State state_ = State::Size;
  std::uint64_t size_ = 0;  // while its digits come, then what is left of the chunk
  int digits_ = 0;
};

class AnswerReader {
 public:
  struct Problem {
    TransportError::Kind kind;
    std::string message;  // goes on from "the server "
  };

  AnswerReader() = default;
  // `is_head_only`: the answer to HEAD, which announces a body that does not come.
  AnswerReader(std::size_t max_body_bytes, bool is_head_only)
      : max_body_bytes_(max_body_bytes), is_head_only_(is_head_only) {}

  // Forgets everything: the request is sent again.
  void restart();
  // One line of a head with its CRLF; the empty one ends it. Heads of interim answers (1xx) go before the
  // answer's, trailers come after its body, and both are dropped. False when the library shall stop.
  bool take_line(std::string_view line);
  // Bytes of the body, with the framing of chunks if there is one. False when the library shall stop.
  bool take_body(std::string_view bytes);

  const std::optional<Problem>& problem() const { return problem_; }
  // The answer, once the library says that it has come to its end; else what is wrong with it.
  std::optional<Problem> finish();
  HttpResponse& response() { return response_; }

 private:
  bool stop(TransportError::Kind kind, std::string message);
  bool take_status(std::string_view line);
  bool take_header(std::string_view line);
  bool end_head();

  std::size_t max_body_bytes_ = 0;
  bool is_head_only_ = false;
  HttpResponse response_;
  std::size_t head_bytes_ = 0;
  enum class Part : std::uint8_t { Before, Head, Body } part_ = Part::Before;
  std::optional<ChunkDecoder> chunks_;
  std::optional<Problem> problem_;
};

}  // namespace flow
