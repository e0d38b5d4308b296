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

TEST(Escape, IsKnownByName) {
  for (const std::string& name : escape_names()) EXPECT_TRUE(escape_named(name)) << name;
  EXPECT_FALSE(escape_named("html"));
}

}  // namespace
}  // namespace flow
