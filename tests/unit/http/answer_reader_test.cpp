#include "stdlib/http/answer_reader.hpp"

#include <gtest/gtest.h>

namespace flow {
namespace {

using Kind = TransportError::Kind;
using State = ChunkDecoder::State;

// Hands over a head line by line; false when the reader stopped.
bool take_head(AnswerReader& reader, std::initializer_list<const char*> lines) {
  for (const char* line : lines)
    if (!reader.take_line(std::string(line) + "\r\n")) return false;
  return reader.take_line("\r\n");
}

Kind kind_after(std::initializer_list<const char*> lines) {
  AnswerReader reader(100, false);
  EXPECT_FALSE(take_head(reader, lines)) << *lines.begin();
  return reader.problem() ? reader.problem()->kind : Kind::Refused;
}

TEST(ChunkDecoder, TakesChunksHoweverTheyAreCut) {
  const std::string bytes = "5\r\nhello\r\nB;name=value\r\n, good day!\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    ChunkDecoder decoder;
    std::string body;
    for (std::size_t at = 0; at < bytes.size(); at += step)
      ASSERT_TRUE(decoder.take(std::string_view(bytes).substr(at, step), body, 16));
    EXPECT_EQ(body, "hello, good day!");
    EXPECT_EQ(decoder.state(), State::End) << step;
  }
}

TEST(ChunkDecoder, RefusesAChunkBeyondTheLimitWhenItIsAnnounced) {
  for (const auto& [bytes, state] :
       {std::pair("10\r\n", State::Data), std::pair("11\r\n", State::TooLarge),
        std::pair("8\r\n12345678\r\n9\r\n", State::TooLarge), std::pair("7fffffff\r\n", State::TooLarge),
        std::pair("-2\r\n", State::Malformed), std::pair("\r\n", State::Malformed),
        std::pair("zz\r\n", State::Malformed), std::pair("fffffffffffffffff\r\n", State::Malformed),
        std::pair("2\r\nabc", State::Malformed)}) {
    ChunkDecoder decoder;
    std::string body;
    EXPECT_EQ(decoder.take(bytes, body, 16), state == State::Data) << bytes;
    EXPECT_EQ(decoder.state(), state) << bytes;
  }
}

TEST(AnswerReader, InterimHeadsGoBeforeTheAnswer) {
  AnswerReader reader(100, false);
  ASSERT_TRUE(take_head(reader, {"HTTP/1.1 103 Early Hints", "Link: </a>"}));
  EXPECT_EQ(reader.finish()->kind, Kind::Malformed);
  ASSERT_TRUE(take_head(reader, {"HTTP/2 200 ", "X-A:  b "}));
  ASSERT_TRUE(reader.take_body("ok"));
  ASSERT_TRUE(take_head(reader, {"Trailer: dropped"}));
  EXPECT_FALSE(reader.finish().has_value());
  EXPECT_EQ(reader.response().status, 200);
  EXPECT_EQ(reader.response().headers, (HttpHeaders{{"X-A", "b"}}));
  EXPECT_EQ(reader.response().body, "ok");
}

TEST(AnswerReader, HeadsThatCannotBeBelievedEndIt) {
  EXPECT_EQ(kind_after({"SSH-2.0-OpenSSH_9.2"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 20 OK"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 101 Switching"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 600 Odd"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 200 OK", "no colon"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 200 OK", "A: b", " folded: c"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 200 OK", "Content-Length: +1"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 200 OK", "Content-Encoding: br"}), Kind::Malformed);
  EXPECT_EQ(kind_after({"HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"}), Kind::Malformed);
}

TEST(AnswerReader, HeadersAndBodiesAreBounded) {
  AnswerReader reader(4, false);
  ASSERT_TRUE(take_head(reader, {"HTTP/1.1 200 OK"}));
  EXPECT_TRUE(reader.take_body("1234"));
  EXPECT_FALSE(reader.take_body("5"));
  EXPECT_EQ(reader.problem()->kind, Kind::TooLarge);
  AnswerReader flooded(4, false);
  ASSERT_TRUE(flooded.take_line("HTTP/1.1 200 OK\r\n"));
  int taken = 0;
  while (flooded.take_line("X-Flood: " + std::string(1000, 'x') + "\r\n")) ++taken;
  EXPECT_EQ(flooded.problem()->kind, Kind::TooLarge);
  EXPECT_LT(taken, 300);
}

TEST(AnswerReader, ChunksThatStopEarlyAreAClosedConnection) {
  AnswerReader reader(100, false);
  ASSERT_TRUE(take_head(reader, {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"}));
  ASSERT_TRUE(reader.take_body("5\r\nhel"));
  EXPECT_EQ(reader.finish()->kind, Kind::Closed);
  AnswerReader head(100, true);
  ASSERT_TRUE(take_head(head, {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"}));
  EXPECT_FALSE(head.finish().has_value());
}

}  // namespace
}  // namespace flow
