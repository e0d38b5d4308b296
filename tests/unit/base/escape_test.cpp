#include "base/escape.hpp"

#include <gtest/gtest.h>

namespace flow {
namespace {

TEST(Escape, ACardShowsMarkdownAsItStands) {
  EXPECT_EQ(written("a*b_[x](http://y)#~`\\", Escape::Card), "a\\*b\\_\\[x\\]\\(http://y\\)\\#\\~\\`\\\\");
}

TEST(Escape, NobodyIsCalledInSlack) {
  EXPECT_EQ(written("<!channel> & <@U1>", Escape::Slack), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
}

TEST(Escape, AValueIsOneConditionOfServiceNow) {
  EXPECT_EQ(written("x^ORactive=true\n^y", Escape::ServiceNow), "xORactive=truey");
}

TEST(Escape, AValueStaysBetweenItsQuotesInJql) {
  EXPECT_EQ(written("a\" OR project = \"X\\", Escape::Jql), "a\\\" OR project = \\\"X\\\\");
}

TEST(Escape, EqualKeysGiveEqualUuids) {
  const std::string one = written("01JD/1", Escape::Uuid);
  EXPECT_EQ(one, written("01JD/1", Escape::Uuid));
  EXPECT_NE(one, written("01JD/2", Escape::Uuid));
  ASSERT_EQ(one.size(), 36u);
  EXPECT_EQ(one[14], '8');
  EXPECT_NE(std::string("89ab").find(one[19]), std::string::npos);
}

TEST(Escape, IsKnownByName) {
  for (const std::string& name : escape_names()) EXPECT_TRUE(escape_named(name)) << name;
  EXPECT_FALSE(escape_named("html"));
}

}  // namespace
}  // namespace flow
