#include "stdlib/http/answer_reader.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace flow {
namespace {

using Kind = TransportError::Kind;

constexpr std::size_t kLongestHead = 256u << 10;  // of all heads of one exchange together
constexpr int kMostSizeDigits = 15;               // fits into 64 bits

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

void ChunkDecoder::take_size(char c) {
  const char lower = static_cast<char>(c | 0x20);
  const bool is_digit = c >= '0' && c <= '9';
  if (is_digit || (lower >= 'a' && lower <= 'f')) {
    size_ = size_ * 16 + static_cast<std::uint64_t>(is_digit ? c - '0' : lower - 'a' + 10);
    if (++digits_ > kMostSizeDigits) state_ = State::Malformed;
  } else if (digits_ > 0 && (c == ';' || c == ' ' || c == '\t' || c == '\r')) {
    state_ = State::Extension;
  } else {
    state_ = State::Malformed;
  }
}

void ChunkDecoder::begin_data(std::size_t room) {
  if (size_ == 0)
    state_ = State::Trailer;
  else
    state_ = size_ > room ? State::TooLarge : State::Data;
  digits_ = 0;
}

bool ChunkDecoder::take(std::string_view bytes, std::string& body, std::size_t limit) {
  for (std::size_t at = 0; at < bytes.size();) {
    const char c = bytes[at];
    switch (state_) {
      case State::Size: take_size(c), ++at; break;
      case State::Extension:
        if (c == '\n') begin_data(limit - body.size());
        ++at;
        break;
      case State::Data: {
        const std::size_t taken = std::min<std::uint64_t>(size_, bytes.size() - at);
        body.append(bytes.substr(at, taken));
        size_ -= taken;
        at += taken;
        if (size_ == 0) state_ = State::DataEnd;
        break;
      }
      case State::DataEnd:
        if (c == '\n')
          state_ = State::Size;
        else if (c != '\r')
          state_ = State::Malformed;
        ++at;
        break;
      case State::Trailer:
        if (c != '\r') state_ = c == '\n' ? State::End : State::TrailerLine;
        ++at;
        break;
      case State::TrailerLine:
        if (c == '\n') state_ = State::Trailer;
        ++at;
        break;
      case State::End: return true;  // what follows belongs to nobody; the library drops the connection
      case State::Malformed:
      case State::TooLarge: return false;
    }
  }
  return state_ != State::Malformed && state_ != State::TooLarge;
}

bool AnswerReader::stop(Kind kind, std::string message) {
  if (!problem_) problem_ = Problem{kind, std::move(message)};
  return false;
}

void AnswerReader::restart() {
  *this = AnswerReader(max_body_bytes_, is_head_only_);
}

bool AnswerReader::take_line(std::string_view line) {
  if (problem_) return false;
  head_bytes_ += line.size();
  if (head_bytes_ > kLongestHead)
    return stop(Kind::TooLarge, "sent more than " + std::to_string(kLongestHead >> 10) + " KiB of headers");
  if (part_ == Part::Body) return true;
  if (!line.ends_with("\r\n")) return stop(Kind::Malformed, "sent a header line that does not end in CRLF");
  line.remove_suffix(2);
  if (part_ == Part::Before) return take_status(line);
  return line.empty() ? end_head() : take_header(line);
}

bool AnswerReader::take_status(std::string_view line) {
  const std::size_t blank = line.find(' ');
  const std::string_view status = line.substr(std::min(line.size(), blank)).substr(0, 4);
  if (!line.starts_with("HTTP/") || status.size() != 4 || !is_number(status.substr(1)))
    return stop(Kind::Malformed, "sent an answer that is not HTTP");
  std::from_chars(status.data() + 1, status.data() + 4, response_.status);
  response_.headers.clear();
  part_ = Part::Head;
  return true;
}

bool AnswerReader::take_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line[0] == ' ' || line[0] == '\t')
    return stop(Kind::Malformed, "sent a header without a name");
  response_.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  return true;
}

bool AnswerReader::end_head() {
  if (response_.status >= 100 && response_.status < 200 && response_.status != 101) {
    part_ = Part::Before;
    return true;
  }
  part_ = Part::Body;
  if (response_.status < 200 || response_.status > 599)
    return stop(Kind::Malformed,
                "answered with status " + std::to_string(response_.status) + ", which is no final answer");
  std::optional<std::string> length;
  for (const auto& [name, value] : response_.headers) {
    if (equals_ignoring_case(name, "Content-Encoding") && !equals_ignoring_case(value, "identity"))
      return stop(Kind::Malformed, "sent a compressed body that was not asked for");
    if (equals_ignoring_case(name, "Transfer-Encoding")) {
      if (chunks_ || !equals_ignoring_case(value, "chunked"))
        return stop(Kind::Malformed, "sent a transfer encoding that was not asked for");
      chunks_.emplace();
    }
    if (!equals_ignoring_case(name, "Content-Length")) continue;
    if (!is_number(value)) return stop(Kind::Malformed, "sent a Content-Length that is no number");
    if (length && *length != value) return stop(Kind::Malformed, "sent two lengths of its body");
    length = value;
  }
  return true;
}

bool AnswerReader::take_body(std::string_view bytes) {
  if (problem_) return false;
  if (chunks_) {
    if (chunks_->take(bytes, response_.body, max_body_bytes_)) return true;
    if (chunks_->state() == ChunkDecoder::State::Malformed)
      return stop(Kind::Malformed, "sent a chunk whose size is malformed");
  } else if (bytes.size() <= max_body_bytes_ - response_.body.size()) {
    response_.body.append(bytes);
    return true;
  }
  return stop(Kind::TooLarge, "sent more than " + std::to_string(max_body_bytes_) + " bytes");
}

std::optional<AnswerReader::Problem> AnswerReader::finish() {
  if (problem_) return problem_;
  if (part_ != Part::Body) return Problem{Kind::Malformed, "sent no answer"};
  const bool has_body = !is_head_only_ && response_.status != 204 && response_.status != 304;
  if (has_body && chunks_ && chunks_->state() != ChunkDecoder::State::End)
    return Problem{Kind::Closed, "closed the connection before the body was complete"};
  return std::nullopt;
}

}  // namespace flow
