// The machine's functions, called as the machine calls them: edge cases, limits, and that nothing crashes.
#include "vm/interp/natives.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/text.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;

struct Limited {
  std::size_t text = 1 << 20, list = 10'000, heap = 16 << 20;
  std::uint64_t fuel = 10'000'000;
};

std::string shown(const Slot& slot) {
  switch (slot.tag) {
    case Slot::Tag::Null: return "null";
    case Slot::Tag::Bool: return slot.number != 0 ? "true" : "false";
    case Slot::Tag::Float: return fmt::format("{}", slot.real);
    case Slot::Tag::Text:
    case Slot::Tag::Json: return std::string(slot.view());
    case Slot::Tag::List: {
      std::string out;
      for (std::uint32_t i = 0; i < slot.size; ++i) out += (i == 0 ? "" : "|") + shown(slot.items[i]);
      return "[" + out + "]";
    }
    default:
      if (slot.form == Form::Time) return format_time_us(slot.number);
      if (slot.form == Form::Duration) return format_duration_us(slot.number);
      return std::to_string(slot.number);
  }
}

std::string called(NativeId id, const std::vector<Slot>& arguments, Limited limits = {}) {
  Heap heap(limits.heap);
  Patterns patterns;
  std::uint64_t fuel = limits.fuel;
  NativeContext context{.heap = heap,
                        .patterns = patterns,
                        .max_text_bytes = limits.text,
                        .max_list_items = limits.list,
                        .fuel = fuel,
                        .fault = {}};
  Slot result = Slot::null();
  call_native(id, context, arguments.data(), result);
  if (context.fault) return std::string(fault_name(context.fault->kind)) + ": " + context.fault->message;
  return shown(result);
}

Slot t(std::string_view text) {
  return Slot::text(text);
}
Slot n(std::int64_t number) {
  return Slot::integer(number);
}
Slot f(double number) {
  return Slot::floating(number);
}
Slot moment(std::string_view text) {
  return Slot::integer(parse_time_us(text).value(), Form::Time);
}

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

TEST(Natives, RowsAndFunctionsAgree) {
  EXPECT_TRUE(natives_that_do_not_fit().empty());
}

TEST(TextNatives, CountCodePoints) {
  EXPECT_EQ(called(NativeId::sliceText, {t("aé€😀z"), n(1), n(4)}), "é€😀");
  EXPECT_EQ(called(NativeId::sliceText, {t("abc"), n(-5), n(kMost)}), "abc");
  EXPECT_EQ(called(NativeId::sliceText, {t("abc"), n(kMost), Slot::null()}), "");
  EXPECT_EQ(called(NativeId::sliceText, {t("abc"), n(2), n(1)}), "");
  EXPECT_EQ(called(NativeId::sliceText, {t("abc"), n(kLeast), n(kLeast)}), "");
  EXPECT_EQ(called(NativeId::substring, {t("😀é"), n(1), n(kMost)}), "é");
  EXPECT_EQ(called(NativeId::substring, {t("abc"), n(1), n(-1)}), "");
  EXPECT_EQ(called(NativeId::indexOfText, {t("é€b"), t("b")}), "2");
  EXPECT_EQ(called(NativeId::indexOfText, {t(""), t("")}), "0");
  EXPECT_EQ(called(NativeId::lastIndexOf, {t("é€é"), t("é")}), "2");
  EXPECT_EQ(called(NativeId::lastIndexOf, {t("aaa"), t("aa")}), "1");
  EXPECT_EQ(called(NativeId::lastIndexOf, {t("a"), t("b")}), "null");
  EXPECT_EQ(called(NativeId::lastIndexOf, {t("ab"), t("")}), "2");
}

TEST(TextNatives, SplitAndJoin) {
  EXPECT_EQ(called(NativeId::split, {t("a,b,,"), t(",")}), "[a|b||]");
  EXPECT_EQ(called(NativeId::split, {t(""), t(",")}), "[]") << "one empty part";
  EXPECT_EQ(called(NativeId::split, {t("é€"), t("")}), "[é|€]");
  EXPECT_EQ(called(NativeId::split, {t("aXXbX"), t("XX")}), "[a|bX]");
  EXPECT_EQ(called(NativeId::lines, {t("a\r\nb\rc\n\nd")}), "[a|b|c||d]");
  EXPECT_EQ(called(NativeId::lines, {t("")}), "[]");
  EXPECT_EQ(called(NativeId::lines, {t("\n")}), "[]") << "one empty line";
  EXPECT_THAT(called(NativeId::split, {t("a,b,c"), t(",")}, {.list = 2}),
              HasSubstr("TooLarge: a list of more than 2"));
  EXPECT_THAT(called(NativeId::lines, {t("a\nb\nc")}, {.list = 2}), HasSubstr("TooLarge"));
}

TEST(TextNatives, GrowUpToTheLimit) {
  EXPECT_EQ(called(NativeId::padStart, {t("7"), n(3), t("0")}), "007");
  EXPECT_EQ(called(NativeId::padStart, {t("é"), n(4), t("ab")}), "abaé");
  EXPECT_EQ(called(NativeId::padEnd, {t("é"), n(4), t("ab")}), "éaba");
  EXPECT_EQ(called(NativeId::padEnd, {t("abc"), n(2), t("x")}), "abc");
  EXPECT_EQ(called(NativeId::padEnd, {t("a"), n(3), t("")}), "a");
  EXPECT_EQ(called(NativeId::padEnd, {t("a"), n(kLeast), t("x")}), "a");
  EXPECT_THAT(called(NativeId::padEnd, {t("a"), n(kMost), t("x")}), HasSubstr("TooLarge"));
  EXPECT_EQ(called(NativeId::repeat, {t("ab"), n(3)}), "ababab");
  EXPECT_EQ(called(NativeId::repeat, {t("ab"), n(-3)}), "");
  EXPECT_THAT(called(NativeId::repeat, {t("ab"), n(kMost)}), HasSubstr("TooLarge"));
  EXPECT_EQ(called(NativeId::repeat, {t("ab"), n(2)}, {.text = 4}), "abab");
  EXPECT_THAT(called(NativeId::repeat, {t("ab"), n(3)}, {.text = 5}),
              HasSubstr("TooLarge: a text of more than 5"));
  EXPECT_EQ(called(NativeId::trimStart, {t(" \u00a0a ")}), "a ");
  EXPECT_EQ(called(NativeId::trimEnd, {t(" a\u3000\n")}), " a");
}

TEST(PatternNatives, FindAndReplace) {
  EXPECT_EQ(called(NativeId::findAll, {t("a1b22"), t("\\d+")}), "[1|22]");
  EXPECT_EQ(called(NativeId::findAll, {t("é€"), t("x*")}), "[]") << "empty matches are left out";
  EXPECT_EQ(called(NativeId::findAll, {t("aab"), t("a*")}), "[aa]");
  EXPECT_EQ(called(NativeId::findAll, {t("a b"), t("^\\w")}), "[a]") << "the rest is no beginning";
  EXPECT_EQ(called(NativeId::capture, {t("k=v"), t("(\\w)=(\\w)"), n(2)}), "v");
  EXPECT_EQ(called(NativeId::capture, {t("k=v"), t("(\\w)=(\\w)"), n(0)}), "k=v");
  EXPECT_EQ(called(NativeId::capture, {t("b"), t("(a)|b"), n(1)}), "null");
  EXPECT_THAT(called(NativeId::capture, {t("b"), t("b"), n(1)}), HasSubstr("has 0 groups, and no group 1"));
  EXPECT_THAT(called(NativeId::capture, {t("b"), t("b"), n(-1)}), HasSubstr("InvalidValue"));
  EXPECT_EQ(called(NativeId::captures, {t("b"), t("(a)|(b)")}), "[b|null|b]");
  EXPECT_EQ(called(NativeId::captures, {t("c"), t("(a)|(b)")}), "[]");
  EXPECT_EQ(called(NativeId::replaceAll, {t("a1b22"), t("(\\d+)"), t("<\\1>\\\\")}), "a<1>\\b<22>\\");
  EXPECT_EQ(called(NativeId::replaceAll, {t("abc"), t("x"), t("y")}), "abc");
  EXPECT_THAT(called(NativeId::replaceAll, {t("a"), t("a"), t("\\1")}), HasSubstr("InvalidValue"));
  EXPECT_THAT(called(NativeId::replaceAll, {t("a"), t("a"), t("\\x")}), HasSubstr("InvalidValue"));
  EXPECT_THAT(called(NativeId::replaceAll, {t("aaaa"), t("a"), t("bbbb")}, {.text = 15}),
              HasSubstr("TooLarge"));
  EXPECT_THAT(called(NativeId::findAll, {t("é"), t("\\C")}), HasSubstr("`\\C` is not known"));
  EXPECT_EQ(called(NativeId::findAll, {t("\\C"), t("\\\\C")}), "[\\C]");
}

TEST(PatternNatives, WhoMakesThemLookAgainPaysForIt) {
  const std::string text(50'000, 'a');
  EXPECT_THAT(called(NativeId::findAll, {t(text), t("a*b|a")}, {.fuel = 1'000'000}), HasSubstr("OutOfFuel"));
}

TEST(NumberNatives, FromTexts) {
  EXPECT_EQ(called(NativeId::textToInt, {t(" -42\n")}), "-42");
  EXPECT_EQ(called(NativeId::textToInt, {t("9223372036854775807")}), "9223372036854775807");
  for (const char* bad : {"", " ", "9223372036854775808", "1.5", "0x10", "1 2", "+-1", "--1", "١"})
    EXPECT_EQ(called(NativeId::textToInt, {t(bad)}), "null") << bad;
  EXPECT_EQ(called(NativeId::textToFloat, {t("+1.5e2")}), "150");
  for (const char* bad : {"", "inf", "nan", "1e999", "1,5", "1.5x"})
    EXPECT_EQ(called(NativeId::textToFloat, {t(bad)}), "null") << bad;
}

TEST(NumberNatives, RoundAndOverflow) {
  EXPECT_EQ(called(NativeId::round, {f(0.5)}), "1");
  EXPECT_EQ(called(NativeId::round, {f(-0.5)}), "-1");
  EXPECT_THAT(called(NativeId::round, {f(9.3e18)}), HasSubstr("Overflow"));
  EXPECT_THAT(called(NativeId::floor, {f(-9.3e18)}), HasSubstr("Overflow"));
  EXPECT_EQ(called(NativeId::truncate, {f(-9223372036854775808.0)}), "-9223372036854775808");
  EXPECT_THAT(called(NativeId::truncate, {f(9223372036854775808.0)}), HasSubstr("Overflow"));
  EXPECT_THAT(called(NativeId::absInt, {n(kLeast)}), HasSubstr("Overflow"));
  EXPECT_EQ(called(NativeId::roundTo, {f(2.675), n(2)}), "2.68");
  EXPECT_EQ(called(NativeId::roundTo, {f(1.005), n(2)}), "1.01");
  EXPECT_EQ(called(NativeId::roundTo, {f(1e300), n(2)}), "1e+300");
  EXPECT_THAT(called(NativeId::roundTo, {f(1), n(16)}), HasSubstr("InvalidValue"));
  EXPECT_EQ(called(NativeId::formatFloat, {f(-0.001), n(2)}), "0.00");
  EXPECT_EQ(called(NativeId::formatFloat, {f(1234.5), n(0)}), "1235");
  EXPECT_THAT(called(NativeId::clampInt, {n(1), n(3), n(2)}), HasSubstr("InvalidValue"));
  EXPECT_THAT(called(NativeId::days, {n(kMost)}), HasSubstr("Overflow"));
  EXPECT_THAT(called(NativeId::fromUnix, {n(kLeast)}), HasSubstr("Overflow"));
}

TEST(TimeNatives, ReadWhatIsWritten) {
  for (const char* same : {"2026-11-20T08:14:00Z", "2026-11-20T08:14Z", "2026-11-20 08:14",
                           "2026-11-20T09:14:00+0100", "2026-11-20T09:14:00.000+01", " 2026-11-20T08:14:00 "})
    EXPECT_EQ(called(NativeId::textToTime, {t(same)}), "2026-11-20T08:14:00Z") << same;
  EXPECT_EQ(called(NativeId::textToTime, {t("2026-11-20")}), "2026-11-20T00:00:00Z");
  for (const char* bad :
       {"", "2026", "2026-13-01", "20.11.2026", "2026-11-20T08", "2026-11-20T25:00", "tomorrow !!"})
    EXPECT_EQ(called(NativeId::textToTime, {t(bad)}), "null") << bad;
  EXPECT_EQ(called(NativeId::textToDuration, {t("P1DT2H3M4S")}), "1d2h3m4s");
  EXPECT_EQ(called(NativeId::textToDuration, {t("-1h")}), "-1h");
  EXPECT_EQ(called(NativeId::textToDuration, {t("P2W")}), "14d");
  for (const char* bad : {"", "P", "PT", "P1H", "PT1D", "P1DT", "1", "h", "--1h", "P1Y", "PTT1H"})
    EXPECT_EQ(called(NativeId::textToDuration, {t(bad)}), "null") << bad;
}

TEST(TimeNatives, KnowTheCalendarAndItsSwitches) {
  const Slot time = moment("2026-03-28T22:30:00Z");  // 23:30 in Berlin, the evening before clocks change
  EXPECT_EQ(called(NativeId::startOf, {time, t("day"), t("Europe/Berlin")}), "2026-03-27T23:00:00Z");
  EXPECT_EQ(called(NativeId::addDays, {time, n(1), t("Europe/Berlin")}), "2026-03-29T21:30:00Z");
  EXPECT_EQ(called(NativeId::addDays, {time, n(1), t("UTC")}), "2026-03-29T22:30:00Z");
  EXPECT_EQ(called(NativeId::startOf, {moment("2026-11-22T12:34:56.5Z"), t("week"), t("UTC")}),
            "2026-11-16T00:00:00Z");
  EXPECT_EQ(called(NativeId::startOf, {moment("2026-11-22T12:34:56.5Z"), t("month"), t("UTC")}),
            "2026-11-01T00:00:00Z");
  EXPECT_EQ(called(NativeId::startOf, {moment("2026-11-22T12:34:56.5Z"), t("minute"), t("Asia/Kolkata")}),
            "2026-11-22T12:34:00Z");
  // The second of the two hours between 2 and 3 stays the second.
  EXPECT_EQ(called(NativeId::addMonths, {moment("2026-10-25T01:30:00Z"), n(0), t("Europe/Berlin")}),
            "2026-10-25T01:30:00Z");
  EXPECT_EQ(called(NativeId::addMonths, {moment("2024-02-29T00:00:00Z"), n(12), t("UTC")}),
            "2025-02-28T00:00:00Z");
  EXPECT_EQ(called(NativeId::addYears, {moment("2024-02-29T00:00:00Z"), n(-4), t("UTC")}),
            "2020-02-29T00:00:00Z");
  EXPECT_EQ(called(NativeId::weekdayNumber, {moment("2026-11-22T23:30:00Z"), t("Asia/Tokyo")}), "0");
  EXPECT_EQ(called(NativeId::dayOfYear, {moment("2024-12-31T00:00:00Z"), t("UTC")}), "366");
  EXPECT_THAT(called(NativeId::year, {time, t("Europe/Bonn")}),
              HasSubstr("there is no time zone `Europe/Bonn`"));
  EXPECT_THAT(called(NativeId::startOf, {time, t("decade"), t("UTC")}), HasSubstr("InvalidValue"));
  EXPECT_THAT(called(NativeId::formatTime, {time, t("yyy"), t("UTC")}), HasSubstr("malformed"));
  EXPECT_THAT(called(NativeId::addDays, {time, n(kMost), t("UTC")}), HasSubstr("Overflow"));
  EXPECT_THAT(called(NativeId::addYears, {time, n(kLeast), t("UTC")}), HasSubstr("Overflow"));
}

TEST(EncodingNatives, ThereAndBack) {
  for (const char* text : {"", "a", "ab", "abc", "äöü€😀", "\n\t"}) {
    const std::string coded = called(NativeId::base64, {t(text)});
    EXPECT_EQ(called(NativeId::fromBase64, {t(coded)}), text);
    EXPECT_EQ(called(NativeId::fromHex, {t(called(NativeId::hex, {t(text)}))}), text);
    EXPECT_EQ(called(NativeId::urlDecode, {t(called(NativeId::urlEncode, {t(text)}))}), text);
  }
  EXPECT_EQ(called(NativeId::base64, {t("any carnal pleas")}), "YW55IGNhcm5hbCBwbGVhcw==");
  EXPECT_EQ(called(NativeId::fromBase64, {t("YW55\r\nIGNh cm5hbA")}), "any carnal");
  for (const char* bad : {"a", "a===", "ab=c", "a$b", "/w==", "YQ=", "YQ==="})
    EXPECT_EQ(called(NativeId::fromBase64, {t(bad)}), "null") << bad;
  EXPECT_EQ(called(NativeId::fromBase64Utf16, {t("//5kAA==")}), "d") << "with a byte order mark";
  EXPECT_EQ(called(NativeId::fromBase64Utf16, {t("PdgA3g==")}), "😀");
  EXPECT_EQ(called(NativeId::fromBase64Utf16, {t("Pdg=")}), "null") << "half of a pair";
  EXPECT_EQ(called(NativeId::fromBase64Utf16, {t("ZA==")}), "null") << "half of a unit";
  for (const char* bad : {"4", "4g", "ff"}) EXPECT_EQ(called(NativeId::fromHex, {t(bad)}), "null") << bad;
  for (const char* bad : {"%", "%4", "%zz", "%ff"})
    EXPECT_EQ(called(NativeId::urlDecode, {t(bad)}), "null") << bad;
  EXPECT_EQ(called(NativeId::md5, {t("")}), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(called(NativeId::sha1, {t("")}), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(called(NativeId::sha256, {t("")}),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(EncodingNatives, CellsAreNoFormulas) {
  EXPECT_EQ(called(NativeId::csvCell, {t("plain")}), "plain");
  EXPECT_EQ(called(NativeId::csvCell, {t("a,\"b\"")}), "\"a,\"\"b\"\"\"");
  for (const char* formula : {"=1+1", "+1", "-1", "@x"})
    EXPECT_EQ(called(NativeId::csvCell, {t(formula)}), std::string("'") + formula);
  EXPECT_EQ(called(NativeId::csvCell, {t("\t=1")}), "\"'\t=1\"");
  EXPECT_EQ(called(NativeId::csvCell, {t("a\r\nb")}), "\"a\r\nb\"");
}

TEST(EncodingNatives, PagesAsText) {
  EXPECT_EQ(called(NativeId::plainText, {t("<p>a&lt;b&#x41;&#66;&bad;&</p><br/>c")}), "a<bAB&bad;&\n\nc");
  EXPECT_EQ(called(NativeId::plainText, {t("<SCRIPT>if (a<b) x</SCRIPT>t<!-- <p> -->u<")}), "tu");
  EXPECT_EQ(called(NativeId::plainText, {t("&#xd800;&#1114112;&#")}), "&#xd800;&#1114112;&#");
}

TEST(NetworkNatives, TakeThingsApart) {
  const std::string_view url = "HTTPS://u:p@Evil.COM:8443/a/b?q=1&x=a%20b+c&q=2#f";
  EXPECT_EQ(called(NativeId::urlScheme, {t(url)}), "https");
  EXPECT_EQ(called(NativeId::urlHost, {t(url)}), "evil.com");
  EXPECT_EQ(called(NativeId::urlPort, {t(url)}), "8443");
  EXPECT_EQ(called(NativeId::urlPath, {t(url)}), "/a/b");
  EXPECT_EQ(called(NativeId::urlQuery, {t(url), t("q")}), "1");
  EXPECT_EQ(called(NativeId::urlQuery, {t(url), t("x")}), "a b c");
  EXPECT_EQ(called(NativeId::urlQuery, {t(url), t("y")}), "null");
  EXPECT_EQ(called(NativeId::urlHost, {t("http://contoso.com@evil.com/")}), "evil.com")
      << "what is before is a user";
  EXPECT_EQ(called(NativeId::urlHost, {t("http://[2001:db8::1]:80/")}), "2001:db8::1");
  EXPECT_EQ(called(NativeId::urlPath, {t("http://a.b?x")}), "/");
  EXPECT_EQ(called(NativeId::urlPort, {t("http://a.b:99999/")}), "null");
  EXPECT_THAT(called(NativeId::urlHost, {t("evil.com")}), HasSubstr("InvalidValue"));
  EXPECT_THAT(called(NativeId::isPrivate, {t("10.0.0")}), HasSubstr("`10.0.0` is no IP address"));
  EXPECT_THAT(called(NativeId::inNetwork, {t("10.0.0.0"), t("10.0.0.1")}), HasSubstr("is no network"));
  EXPECT_EQ(called(NativeId::ipNetwork, {t("192.168.1.77"), n(24)}), "192.168.1.0/24");
  EXPECT_EQ(called(NativeId::ipNetwork, {t("2001:db8:ffff::1"), n(33)}), "2001:db8:8000::/33");
  EXPECT_THAT(called(NativeId::ipNetwork, {t("1.2.3.4"), n(33)}), HasSubstr("InvalidValue"));
  EXPECT_EQ(called(NativeId::isSubdomainOf, {t("a.Contoso.com"), t("contoso.COM")}), "true");
  EXPECT_EQ(called(NativeId::isSubdomainOf, {t("contoso.com.evil.org"), t("contoso.com")}), "false");
  EXPECT_EQ(called(NativeId::parentDomain, {t("com")}), "null");
}

TEST(IndicatorNatives, FindWhatReportsName) {
  const std::string_view report =
      "Seen: 8.8.8.8, 10.0.0.256, fe80::1 and 2001:db8::7. C2 hxxps://Evil[.]com:443/a?x=(1) (bad.org), "
      "file dropper.exe, C:\\x\\y.dll, mail bob@mail.evil.com; sha256 "
      "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855, "
      "md5:d41d8cd98f00b204e9800998ecf8427e. "
      "At 12:30:45 std::string v1.2.3 größe.de bad.org 8.8.8.8";
  EXPECT_EQ(called(NativeId::extractIps, {t(report)}), "[8.8.8.8|fe80::1|2001:db8::7]");
  EXPECT_EQ(called(NativeId::extractDomains, {t(report)}), "[evil.com|bad.org]");
  EXPECT_EQ(called(NativeId::extractUrls, {t(report)}), "[https://Evil.com:443/a?x=(1)]");
  EXPECT_EQ(
      called(NativeId::extractHashes, {t(report)}),
      "[e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855|d41d8cd98f00b204e9800998ecf8427e]");
  EXPECT_EQ(called(NativeId::extractEmails, {t(report)}), "[bob@mail.evil.com]");
  EXPECT_EQ(called(NativeId::extractUrls, {t("(see http://a.example/x). http://")}), "[http://a.example/x]");
}

TEST(IndicatorNatives, MakeThemHarmlessAndBack) {
  EXPECT_EQ(called(NativeId::defang, {t("GET https://Evil.com/a.b from 1.2.3.4 by x@evil.com, a.exe.")}),
            "GET hxxps://Evil[.]com/a.b from 1[.]2[.]3[.]4 by x[@]evil[.]com, a.exe.");
  EXPECT_EQ(called(NativeId::defang, {t("2001:db8::1")}), "2001[:]db8[:][:]1");
  EXPECT_EQ(called(NativeId::refang, {t("HXXP://a(.)b[dot]c[/]d x[at]y[.]z [://] [not]")}),
            "HTTP://a.b.c/d x@y.z :// [not]");
  for (const char* text : {"http://evil.com/x", "1.2.3.4", "bob@evil.com", "2001:db8::1", "nothing here."})
    EXPECT_EQ(called(NativeId::refang, {t(called(NativeId::defang, {t(text)}))}), text);
}

TEST(JsonNatives, ReadAndWrite) {
  EXPECT_EQ(called(NativeId::parseJson, {t(" {\"a\" : [1, 2]} ")}), "{\"a\":[1,2]}");
  for (const char* bad : {"", "{", "[1,]", "nul", "1 2"})
    EXPECT_EQ(called(NativeId::parseJson, {t(bad)}), "null") << bad;
}

// Any arguments whatever: no crash, and what is given is well-formed.
TEST(Natives, TakeAnything) {
  std::mt19937_64 random(7);
  const std::string parts[] = {"a",        "é",    "😀",    ".",  "@",  "://", "http://",  "[.]", "%4",
                               "=",        "\r\n", "(",    "\\", "&#", "<",   "10.0.0.1", "::",  "-",
                               "evil.com", "T",    "yyyy", "'",  " ",  "9",   "/8",       "hxxp"};
  const auto some_text = [&] {
    std::string text;
    for (std::uint64_t left = random() % 12; left > 0; --left) text += parts[random() % std::size(parts)];
    return text;
  };
  const std::int64_t numbers[] = {0, 1, -1, 2, 15, 16, 100, kMost, kLeast, 1'782'900'000'000'000};
  const double reals[] = {0, -0.0, 0.5, -1.5, 1e300, -1e18, 9.3e18};
  for (int round = 0; round < 20'000; ++round) {
    const NativeInfo& row = all_natives()[random() % all_natives().size()];
    std::vector<std::string> texts(row.argument_count);
    std::vector<Slot> arguments;
    for (std::size_t i = 0; i < row.argument_count; ++i) {
      const NativeType& type = row.arguments[i];
      if (type.may_be_null && random() % 3 == 0)
        arguments.push_back(Slot::null());
      else if (type.role == NativeType::Role::Zone && random() % 4 != 0)
        arguments.push_back(t("Europe/Berlin"));
      else if (type.is_text_argument() || type.type == kHtmlType || type.type == kJsonType)
        arguments.push_back(t(texts[i] = some_text()));
      else if (type.type == kFloatType)
        arguments.push_back(f(reals[random() % std::size(reals)]));
      else
        arguments.push_back(n(numbers[random() % std::size(numbers)]));
    }
    const std::string result = called(row.id, arguments, {.text = 1000, .list = 20, .heap = 1 << 16});
    EXPECT_FALSE(invalid_utf8_at(result)) << row.name;
  }
}

}  // namespace
}  // namespace flow::test
