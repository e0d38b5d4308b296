#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flow {
namespace {

TEST(Text, JsonQuotingEscapesAndRepairs) {
  EXPECT_EQ(json_quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
  EXPECT_EQ(json_quoted("é"), "\"é\"");
  EXPECT_EQ(json_quoted("\xff"
                        "a"),
            "\"\xef\xbf\xbd"
            "a\"");
  EXPECT_EQ(json_quoted("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")
      << "a surrogate is no UTF-8";
}

TEST(Text, NearestNameFindsTyposAndNothingElse) {
  const std::vector<std::string> names{"Informational", "Low", "Medium", "High"};
  EXPECT_EQ(nearest_name("Hihg", names), "High");
  EXPECT_EQ(nearest_name("high", names), "High");
  EXPECT_EQ(nearest_name("Medim", names), "Medium");
  EXPECT_EQ(nearest_name("Critical", names), std::nullopt);
  EXPECT_EQ(nearest_name("", names), std::nullopt);
}

TEST(Text, TimesKeepMicrosecondsAndOffsets) {
  EXPECT_EQ(format_time_us(*parse_time_us("2026-11-20T08:14:22.1043315Z")), "2026-11-20T08:14:22.104331Z");
  EXPECT_EQ(format_time_us(*parse_time_us("2026-11-20T08:14:22Z")), "2026-11-20T08:14:22Z");
  EXPECT_EQ(parse_time_us("2026-11-20T09:14:22+01:00"), parse_time_us("2026-11-20T08:14:22Z"));
  EXPECT_EQ(format_time_us(-1), "1969-12-31T23:59:59.999999Z");
  for (const char* bad :
       {"", "2026-11-20", "2026-02-30T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T08:14:22",
        "2026-11-20T08:14:22.Z", "2026-11-20T08:14:22Zx", "x026-11-20T08:14:22Z"})
    EXPECT_EQ(parse_time_us(bad), std::nullopt) << bad;
}

TEST(Text, DurationsRoundTrip) {
  EXPECT_EQ(parse_duration_us("1h30m"), 5'400'000'000);
  EXPECT_EQ(format_duration_us(5'400'000'000), "1h30m");
  EXPECT_EQ(parse_duration_us("250ms"), 250'000);
  EXPECT_EQ(parse_duration_us("1w"), 7 * 86'400'000'000);
  EXPECT_EQ(format_duration_us(0), "0s");
  for (const char* bad : {"", "5", "m", "5x", "-5m", "9999999999999d"})
    EXPECT_EQ(parse_duration_us(bad), std::nullopt) << bad;
}

TEST(Text, PrintableMovesNoCursorAndTurnsNoLine) {
  EXPECT_EQ(printable("a\x1b[2J\x07\r\nb\x7f"), "a [2J   b ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m \xe2\x80\xae"
                      "gpj \xe2\x81\xa6x\xd8\x9c"),
            " 31m  gpj  x ");
  EXPECT_EQ(printable("\xff caf\xc3"), "  caf ");
  EXPECT_EQ(printable("\xc2\xa0"
                      "Gr\xc3\xbc\xc3\x9f"
                      "e \xe2\x80\xa6 \xf0\x9f\x94\x92"),
            "\xc2\xa0"
            "Gr\xc3\xbc\xc3\x9f"
            "e \xe2\x80\xa6 \xf0\x9f\x94\x92");
}

TEST(Text, EscapesForPathsAndHtml) {
  EXPECT_EQ(percent_encoded("a b/é"), "a%20b%2F%C3%A9");
  EXPECT_EQ(html_escaped("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
}

}  // namespace
}  // namespace flow
