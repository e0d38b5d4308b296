// The functions and the operators between values, each with what it gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "apps/sim/kql/functions.hpp"
#include "tests/unit/sim/kql_fixture.hpp"

namespace flow::kql::test {
namespace {

struct Example {
  const char* expression;
  const char* gives;
};

void expect_all(std::span<const Example> examples) {
  for (const Example& example : examples)
    EXPECT_EQ(value(example.expression), example.gives) << example.expression;
}

TEST(KqlValues, Literals) {
  const Example examples[] = {
      {"0x1f", "31"},
      {"1.50", "1.5"},
      {"2e3", "2000.0"},
      {"-7", "-7"},
      {"7d", "7.00:00:00"},
      {"1.5h", "01:30:00"},
      {"100ms", "00:00:00.1000000"},
      {"datetime(2026-11-20)", "2026-11-20T00:00:00.0000000Z"},
      {"datetime(2026-11-20T08:14:22.1043315Z)", "2026-11-20T08:14:22.1043315Z"},
      {"datetime('2026-11-20 08:14')", "2026-11-20T08:14:00.0000000Z"},
      {"timespan(1.02:03:04.5)", "1.02:03:04.5000000"},
      {"dynamic({'a': [1, \"b\"]})", R"({"a":[1,"b"]})"},
      {R"(@"C:\Windows")", R"(C:\Windows)"},
      {R"("a\tb\u00e9")", "a\tb\xc3\xa9"},
      {"h'hidden'", "hidden"},
      {"int(null)", ""},
      {"datetime(null)", ""},
  };
  expect_all(examples);
}

TEST(KqlValues, Operators) {
  const Example examples[] = {
      {"7 / 2", "3"},
      {"7 / 2.0", "3.5"},
      {"-7 % 3", "2"},
      {"1 / 0", ""},
      {"9223372036854775807 + 1", ""},
      {"1 + 2 * 3", "7"},
      {"datetime(2026-11-20) - 1d", "2026-11-19T00:00:00.0000000Z"},
      {"datetime(2026-11-20) - datetime(2026-11-18)", "2.00:00:00"},
      {"3h / 2", "01:30:00"},
      {"3h / 1h", "3.0"},
      {"'abc' == 'ABC'", "False"},
      {"'abc' =~ 'ABC'", "True"},
      {"'abc' !~ 'ABC'", "False"},
      {"'abc' != 'ABC'", "True"},
      {"'powershell.exe -enc' has 'exe'", "True"},
      {"'powershell.exe' has 'power'", "False"},
      {"'powershell.exe' hasprefix 'power'", "True"},
      {"'powershell.exe' hassuffix 'shell'", "True"},
      {"'PowerShell' contains 'shell'", "True"},
      {"'PowerShell' contains_cs 'shell'", "False"},
      {"'PowerShell' !contains 'cmd'", "True"},
      {"'PowerShell' startswith 'POWER'", "True"},
      {"'PowerShell' endswith_cs 'shell'", "False"},
      {"'a b c' has_any ('x', 'B')", "True"},
      {"'a b c' has_all ('a', 'x')", "False"},
      {"'x' in ('X', 'y')", "False"},
      {"'x' in~ ('X', 'y')", "True"},
      {"'x' !in ('X', 'y')", "True"},
      {"3 in (dynamic([1, 2, 3]))", "True"},
      {"'10.0.0.1' matches regex @'^10\\.'", "True"},
      {"5 between (1 .. 5)", "True"},
      {"5 !between (1 .. 4)", "True"},
      {"true and not(false) or false", "True"},
      {"int(null) == 1", "False"},
      {"int(null) != 1", "True"},
      {"int(null) > 1", ""},
      {"dynamic({'a': {'b': [7, 8]}}).a.b[1]", "8"},
      {"dynamic([1, 2, 3])[-1]", "3"},
      {"dynamic({'a b': 1})['a b']", "1"},
      {"dynamic({'a': 1}).x", ""},
  };
  expect_all(examples);
}

TEST(KqlFunctions, OfTexts) {
  const Example examples[] = {
      {"tolower('ABc')", "abc"},
      {"toupper('abC')", "ABC"},
      {"strlen('h\u00e9')", "2"},
      {"strcat('a', 'b', tostring(3))", "ab3"},
      {"strcat_delim('-', 'a', 'b', 'c')", "a-b-c"},
      {"strcat_array(dynamic([1, 'x']), ',')", "1,x"},
      {"strrep('ab', 2, ',')", "ab,ab"},
      {"substring('flowing', 4)", "ing"},
      {"substring('flowing', 0, 4)", "flow"},
      {"substring('flowing', -3, 2)", "in"},
      {"indexof('a.b.c', '.')", "1"},
      {"indexof('abc', 'x')", "-1"},
      {"split('a,b,c', ',')", R"(["a","b","c"])"},
      {"split('a,b,c', ',', 1)", R"(["b"])"},
      {"split('a\\\\b', '\\\\')[1]", "b"},
      {"replace_string('aXbX', 'X', '-')", "a-b-"},
      {"replace_regex('a1b22', @'\\d+', '#')", "a#b#"},
      {"replace(@'(\\w)\\.', @'\\1-', 'a.b.')", "a-b-"},
      {"countof('banana', 'an')", "2"},
      {"reverse('abc')", "cba"},
      {"strcmp('a', 'b')", "-1"},
      {"isempty('')", "True"},
      {"isnotempty('x')", "True"},
      {"notempty(' ')", "True"},
      {"base64_encode_tostring('flow')", "Zmxvdw=="},
      {"base64_decode_tostring('Zmxvdw==')", "flow"},
      {"url_encode('a b')", "a%20b"},
      {"url_decode('a%20b')", "a b"},
      {"parse_url('https://u:p@host:8080/a/b?x=1#f').Host", "host"},
      {"parse_url('https://host/a?x=1')['Query Parameters'].x", "1"},
      {"extract('(\\\\d+)\\\\.(\\\\d+)', 2, 'v10.42')", "42"},
      {"extract_all('(\\\\d+)', 'a1b22')", R"(["1","22"])"},
      {"trim('-+', '--a-b--')", "a-b"},
      {"trim_start('-', '--a-')", "a-"},
      {"trim_end('-', '-a--')", "-a"},
      {"string_size('h\u00e9')", "3"},
  };
  expect_all(examples);
}

TEST(KqlFunctions, OfTimes) {
  const Example examples[] = {
      {"now()", "2026-11-18T11:06:40.0000000Z"},
      {"now(-1h)", "2026-11-18T10:06:40.0000000Z"},
      {"ago(1d)", "2026-11-17T11:06:40.0000000Z"},
      {"datetime_diff('hour', datetime(2026-11-20T08:59:00Z), datetime(2026-11-20T06:01:00Z))", "2"},
      {"datetime_diff('day', datetime(2026-11-20), datetime(2026-11-01))", "19"},
      {"datetime_diff('month', datetime(2027-01-01), datetime(2026-11-30))", "2"},
      {"datetime_add('month', 1, datetime(2026-01-31))", "2026-02-28T00:00:00.0000000Z"},
      {"datetime_add('minute', 30, datetime(2026-11-20))", "2026-11-20T00:30:00.0000000Z"},
      {"datetime_part('dayOfYear', datetime(2026-02-01))", "32"},
      {"format_datetime(datetime(2026-11-20T08:04:02.5Z), 'yyyy-MM-dd HH:mm:ss.fff')",
       "2026-11-20 08:04:02.500"},
      {"format_datetime(datetime(2026-11-20T18:04:02Z), 'd/M/yy hh:mm tt')", "20/11/26 06:04 PM"},
      {"format_timespan(1d + 2h + 3m, 'd.hh:mm')", "1.02:03"},
      {"make_datetime(2026, 11, 20, 8, 30)", "2026-11-20T08:30:00.0000000Z"},
      {"startofday(datetime(2026-11-20T08:00:00Z))", "2026-11-20T00:00:00.0000000Z"},
      {"startofday(datetime(2026-11-20T08:00:00Z), -1)", "2026-11-19T00:00:00.0000000Z"},
      {"startofweek(datetime(2026-11-20))", "2026-11-15T00:00:00.0000000Z"},
      {"startofmonth(datetime(2026-11-20))", "2026-11-01T00:00:00.0000000Z"},
      {"startofyear(datetime(2026-11-20))", "2026-01-01T00:00:00.0000000Z"},
      {"endofday(datetime(2026-11-20))", "2026-11-20T23:59:59.9999999Z"},
      {"endofweek(datetime(2026-11-20))", "2026-11-21T23:59:59.9999999Z"},
      {"endofmonth(datetime(2026-11-20))", "2026-11-30T23:59:59.9999999Z"},
      {"endofyear(datetime(2026-11-20))", "2026-12-31T23:59:59.9999999Z"},
      {"getyear(datetime(2026-11-20))", "2026"},
      {"getmonth(datetime(2026-11-20))", "11"},
      {"monthofyear(datetime(2026-11-20))", "11"},
      {"dayofmonth(datetime(2026-11-20))", "20"},
      {"dayofweek(datetime(2026-11-20))", "5.00:00:00"},
      {"dayofyear(datetime(2026-11-20))", "324"},
      {"hourofday(datetime(2026-11-20T08:00:00Z))", "8"},
      {"week_of_year(datetime(2026-01-04))", "2"},
      {"unixtime_seconds_todatetime(0)", "1970-01-01T00:00:00.0000000Z"},
      {"unixtime_milliseconds_todatetime(1500)", "1970-01-01T00:00:01.5000000Z"},
      {"unixtime_microseconds_todatetime(1500)", "1970-01-01T00:00:00.0015000Z"},
      {"bin(datetime(2026-11-20T08:14:00Z), 1h)", "2026-11-20T08:00:00.0000000Z"},
      {"bin(datetime(1960-11-20T08:14:00Z), 1d)", "1960-11-20T00:00:00.0000000Z"},
  };
  expect_all(examples);
}

TEST(KqlFunctions, OfDynamicValues) {
  const Example examples[] = {
      {"parse_json('{\"a\":[1,2]}').a[1]", "2"},
      {"todynamic('[1]')[0]", "1"},
      {"toobject('[1]')[0]", "1"},
      {"parsejson('no json')", "no json"},
      {"dynamic_to_json(dynamic([1]))", "[1]"},
      {"tostring(dynamic({'a': 1}))", R"({"a":1})"},
      {"tostring(1.0)", "1.0"},
      {"string(1)", "1"},
      {"toguid('x')", "x"},
      {"toint('12')", "12"},
      {"toint(3000000000)", ""},
      {"int(3)", "3"},
      {"tolong('x')", ""},
      {"long(true)", "1"},
      {"toreal('1.5')", "1.5"},
      {"todouble(2)", "2.0"},
      {"todecimal(2)", "2.0"},
      {"real(2)", "2.0"},
      {"double(2)", "2.0"},
      {"tobool('true')", "True"},
      {"toboolean(0)", "False"},
      {"bool(1)", "True"},
      {"todatetime('2026-11-20')", "2026-11-20T00:00:00.0000000Z"},
      {"totimespan('02:00:00')", "02:00:00"},
      {"gettype(dynamic([1]))", "array"},
      {"gettype(7)", "long"},
      {"pack('a', 1, 'b', 'x')", R"({"a":1,"b":"x"})"},
      {"bag_pack('a', 1)", R"({"a":1})"},
      {"pack_dictionary('a', 1)", R"({"a":1})"},
      {"pack_array(1, 'x', true)", R"([1,"x",true])"},
      {"bag_keys(dynamic({'a': 1, 'b': 2}))", R"(["a","b"])"},
      {"bag_merge(dynamic({'a': 1}), dynamic({'a': 2, 'b': 3}))", R"({"a":1,"b":3})"},
      {"bag_has_key(dynamic({'a': 1}), 'a')", "True"},
      {"array_length(dynamic([1, 2]))", "2"},
      {"arraylength(dynamic({}))", ""},
      {"array_concat(dynamic([1]), dynamic([2]))", "[1,2]"},
      {"array_slice(dynamic([1, 2, 3, 4]), 1, -2)", "[2,3]"},
      {"array_index_of(dynamic(['a', 'b']), 'b')", "1"},
      {"array_sort_asc(dynamic([3, 1, 2]))", "[1,2,3]"},
      {"array_sort_desc(dynamic([3, 1, 2]))", "[3,2,1]"},
      {"array_reverse(dynamic([1, 2]))", "[2,1]"},
      {"set_has_element(dynamic([1, 2]), 2)", "True"},
      {"set_union(dynamic([1, 2]), dynamic([2, 3]))", "[1,2,3]"},
      {"set_intersect(dynamic([1, 2]), dynamic([2, 3]))", "[2]"},
      {"set_difference(dynamic([1, 2]), dynamic([2, 3]))", "[1]"},
  };
  expect_all(examples);
}

TEST(KqlFunctions, OfNumbersAndChoices) {
  const Example examples[] = {
      {"iff(1 > 2, 'a', 'b')", "b"},
      {"iif(true, 1, 2)", "1"},
      {"case(1 > 2, 'a', 2 > 1, 'b', 'c')", "b"},
      {"coalesce('', 'x')", "x"},
      {"not(true)", "False"},
      {"isnull(int(null))", "True"},
      {"isnotnull(1)", "True"},
      {"notnull(int(null))", "False"},
      {"bin(7, 5)", "5"},
      {"bin(-1, 5)", "-5"},
      {"floor(7.5, 1.0)", "7.0"},
      {"min_of(3, 1, 2)", "1"},
      {"max_of(3, 1.5)", "3.0"},
      {"abs(-3)", "3"},
      {"ceiling(1.2)", "2.0"},
      {"round(2.345, 2)", "2.35"},
      {"sqrt(9)", "3.0"},
      {"exp(0)", "1.0"},
      {"log(1)", "0.0"},
      {"log2(8)", "3.0"},
      {"log10(100)", "2.0"},
      {"pow(2, 10)", "1024.0"},
      {"sign(-2)", "-1"},
      {"isnan(real(null))", "False"},
      {"isfinite(1.5)", "True"},
  };
  expect_all(examples);
}

TEST(KqlFunctions, OfAddresses) {
  const Example examples[] = {
      {"ipv4_is_private('192.168.1.5')", "True"},
      {"ipv4_is_private('203.0.113.7')", "False"},
      {"ipv4_is_private('no address')", ""},
      {"ipv4_is_in_range('10.1.2.3', '10.0.0.0/8')", "True"},
      {"ipv4_is_in_range('11.1.2.3', '10.0.0.0/8')", "False"},
      {"ipv4_is_in_any_range('10.1.2.3', '172.16.0.0/12', '10.0.0.0/8')", "True"},
      {"ipv4_is_in_any_range('10.1.2.3', dynamic(['172.16.0.0/12']))", "False"},
      {"ipv4_is_match('192.168.1.1', '192.168.1.255', 24)", "True"},
      {"ipv4_compare('10.0.0.1', '10.0.0.2')", "-1"},
      {"parse_ipv4('0.0.1.0')", "256"},
  };
  expect_all(examples);
}

// docs/sim.md lists the functions; what stands there is there, and the other way round.
TEST(KqlFunctions, AreThoseOfThePage) {
  EXPECT_EQ(value("column_ifexists('X', 7)"), "7");
  EXPECT_EQ(told("DeviceEvents | where ingestion_time() > ago(90m) | count"), "2");
  std::set<std::string> names;
  for (const std::string& name : function_names()) EXPECT_TRUE(names.insert(name).second) << name;
}

}  // namespace
}  // namespace flow::kql::test
