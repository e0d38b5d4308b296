// parse, lookup, and functions of a query's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/kql_fixture.hpp"

namespace flow::kql {
namespace {

using test::told;
using ::testing::HasSubstr;

// One text taken apart by a pattern; `-` stands for what is null.
std::string parsed(const std::string& text, const std::string& pattern, const std::string& shown) {
  return told("print T = '" + text + "' | parse T with " + pattern + " | project " + shown);
}

TEST(KqlParse, TakesTextsApart) {
  EXPECT_EQ(parsed("user dana on pc-042", "'user ' User ' on ' Host", "User, Host"), "dana pc-042");
  EXPECT_EQ(parsed("x=1, name=abc, y=2", "* 'name=' Name ',' *", "Name"), "abc");
  EXPECT_EQ(parsed("id=12 took=3.5s", "'id=' Id:long ' took=' Seconds:real 's'", "Id + 1, Seconds * 2"),
            "13 7.0");
  EXPECT_EQ(parsed("at 2026-11-18T08:00:00Z end", "'at ' At:datetime ' end'", "datetime_part('hour', At)"),
            "8");
  EXPECT_EQ(parsed("on=true;", "'on=' On:bool ';'", "iff(On, 'y', 'n')"), "y");
  // The first place where a text fits, and the last text at the end.
  EXPECT_EQ(parsed("a:b:c", "First ':' Rest", "First, Rest"), "a b:c");
  EXPECT_EQ(parsed("a.b.exe", "Name '.exe'", "Name"), "a.b");
  // A number ends by itself.
  EXPECT_EQ(parsed("pid 812 of x", "'pid ' Pid:long *", "Pid"), "812");
  EXPECT_EQ(parsed("-7up", "N:long Rest", "N, Rest"), "-7 up");
  // A column that is there already is replaced, the others stay where they are.
  EXPECT_EQ(told("print A = 'k=1', B = 2 | parse A with 'k=' A:long"), "1 2");
}

TEST(KqlParse, LeavesEmptyWhatDoesNotFit) {
  EXPECT_EQ(parsed("nothing", "'user ' User", "isempty(User)"), "True");
  EXPECT_EQ(parsed("id=x", "'id=' Id:long", "isnull(Id)"), "True");
  // All or nothing: one that is no number leaves the others empty too.
  EXPECT_EQ(parsed("a=1 b=x", "'a=' A:long ' b=' B:long", "isnull(A), isnull(B)"), "True True");
  EXPECT_EQ(parsed("user dana!", "'user ' User '?'", "isempty(User)"), "True");
  EXPECT_EQ(parsed("user dana", "'user'", "T"), "user dana");
  EXPECT_EQ(told("Numbers | parse-where Name with 't' Rest | project Name, Rest"), "two wo\nthree hree");
}

TEST(KqlParse, SaysWhatIsWrongWithAPattern) {
  EXPECT_THAT(told("Numbers | parse Name 't' Rest"), HasSubstr("'with'"));
  EXPECT_THAT(told("Numbers | parse Name with"), HasSubstr("a pattern"));
  EXPECT_THAT(told("Numbers | parse Name with A B"), HasSubstr("a text must stand between"));
  EXPECT_THAT(told("Numbers | parse Name with * A"), HasSubstr("a text must stand between"));
  EXPECT_THAT(told("Numbers | parse Name with A *"), HasSubstr("a text must stand between"));
  EXPECT_THAT(told("Numbers | parse Name with 'a' A 'b' A"), HasSubstr("in the pattern twice"));
  EXPECT_THAT(told("Numbers | parse Name with 'a' A:lung"), HasSubstr("'lung' is no type"));
  EXPECT_THAT(told("Numbers | parse Name with 7 A"), HasSubstr("a pattern has texts"));
  EXPECT_THAT(told("Numbers | parse Name with '' A"), HasSubstr("a pattern has texts"));
  EXPECT_THAT(told("Numbers | parse N with 'a' A"), HasSubstr("what is parsed must be of type string"));
  EXPECT_THAT(told("Numbers | parse kind=regex Name with 'a' A"),
              HasSubstr("the kind 'regex' is not supported"));
}

TEST(KqlLookup, AddsWhatAnotherTableKnows) {
  const std::string of = "datatable(DeviceId: string, Owner: string)['device-0', 'dana', 'device-2', 'kim']";
  EXPECT_EQ(told("DeviceEvents | take 3 | lookup (" + of + ") on DeviceId | project DeviceId, Owner"),
            "device-0 dana\ndevice-1 \ndevice-2 kim");
  EXPECT_EQ(
      told("DeviceEvents | take 3 | lookup kind=inner (" + of + ") on DeviceId | project DeviceId, Owner"),
      "device-0 dana\ndevice-2 kim");
  // Without the key of the right side.
  EXPECT_EQ(told("DeviceInfo | lookup (" + of + ") on DeviceId | getschema | project ColumnName"),
            "DeviceId\nName\nOwner");
  EXPECT_EQ(told("DeviceInfo | take 1 | lookup (" + of +
                 " | project Id = DeviceId, Owner) on $left.DeviceId == "
                 "$right.Id"),
            "device-0 host-0 dana");
  EXPECT_THAT(told("DeviceInfo | lookup kind=fullouter (DeviceInfo) on DeviceId"),
              HasSubstr("the kind of lookup is leftouter or inner, not fullouter"));
  EXPECT_THAT(told("DeviceInfo | lookup (DeviceEvents) on Name"),
              HasSubstr("the right side has no column 'Name'"));
}

TEST(KqlFunctions, OfOnesOwnGiveValues) {
  EXPECT_EQ(told("let next = (x: long) { x + 1 }; Numbers | where N < 2 | project next(N)"), "1\n2");
  EXPECT_EQ(told("let f = (x: string, y: string = '!') { strcat(x, y) }; print f('a'), f('a', 'b')"),
            "a! ab");
  EXPECT_EQ(told("let least = 6; let isBig = (x: long) { x >= least }; Numbers | where isBig(N) | count"),
            "2");
  EXPECT_EQ(told("let one = () { 1 }; print one()"), "1");
  EXPECT_EQ(told("let f = (x: long) { x * 2 }; let g = (y: long) { f(y) + f(f(y)) }; print g(3)"), "18");
  // A parameter hides a let of its name, and only within.
  EXPECT_EQ(told("let x = 5; let f = (x: long) { x + 1 }; print f(1), x"), "2 5");
}

TEST(KqlFunctions, OfOnesOwnGiveTables) {
  EXPECT_EQ(told("let upTo = (n: long) { Numbers | where N <= n }; upTo(2) | project N"), "0\n1\n2");
  EXPECT_EQ(told("let upTo = (n: long) { Numbers | where N <= n }; union (upTo(0)), (upTo(1)) | count"), "3");
}

TEST(KqlFunctions, OfOnesOwnAreChecked) {
  const std::string f = "let f = (x: long) { x + 1 }; ";
  EXPECT_THAT(told(f + "print f()"), HasSubstr("'f' takes 1 arguments, not 0"));
  EXPECT_THAT(told(f + "print f('a')"), HasSubstr("'x' must be of type long, not string"));
  EXPECT_THAT(told(f + "f(1) | count"), HasSubstr("'f' is no function that gives a table"));
  EXPECT_THAT(told(f + f + "print 1"), HasSubstr("already defined"));
  EXPECT_THAT(told("let double = (x: long) { x * 2 }; print duoble(1)"), HasSubstr("did you mean 'double'?"));
  EXPECT_THAT(told("let t = (n: long) { Numbers | where N <= n }; print t(1)"), HasSubstr("gives a table"));
  EXPECT_THAT(told("let f = (x: lung) { x }; print 1"), HasSubstr("'lung' is no type"));
  EXPECT_THAT(told("let f = (x: long) { N }; Numbers | project f(N)"), HasSubstr("'N'"));
  EXPECT_THAT(told("let f = (x: long) { f(x) }; print f(1)"), HasSubstr("Unknown function"));
  EXPECT_THAT(told("let f = (x: long = 1, y: long) { x }; print f(1)"), HasSubstr("a default"));
  EXPECT_THAT(told("let f = (T: (a: long)) { T }; print 1"), HasSubstr("parameters that are tables"));
  EXPECT_THAT(told("let f = (x: long) { let y = 1; x }; print f(1)"), HasSubstr("within a function"));
  EXPECT_THAT(told("let f = (x: long) { x; print f(1)"), HasSubstr("expected"));
}

// Each function calls the one before it twice: two to the power of their number.
TEST(KqlFunctions, OfOnesOwnHaveALimit) {
  std::string query = "let f0 = (x: long) { x };";
  for (int i = 1; i < 20; ++i) {
    const std::string before = "f" + std::to_string(i - 1) + "(x)";
    query += "let f" + std::to_string(i) + " = (x: long) { " + before + " + " + before + " };";
  }
  EXPECT_THAT(told(query + "print f19(1)"), HasSubstr("too many calls of functions"));
}

}  // namespace
}  // namespace flow::kql
