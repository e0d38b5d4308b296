// Links that nobody can make without the key, and Html of others that can do nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "runtime/links.hpp"
#include "runtime/safe_html.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Link kLink{.question = "01JD0000000000000000000000-3",
                 .person = 1,
                 .option = 2,
                 .expires_us = 1'795'000'000'000'000};

TEST(Links, AreReadBack) {
  const std::string token = sign_link("key", kLink);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
            std::string::npos);
  const auto link = read_link("key", token);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->question, kLink.question);
  EXPECT_EQ(link->person, 1u);
  EXPECT_EQ(link->option, 2u);
  EXPECT_EQ(link->expires_us, kLink.expires_us);
}

TEST(Links, OfAnotherKeyAreNone) {
  EXPECT_FALSE(read_link("other", sign_link("key", kLink)));
  EXPECT_FALSE(read_link("", sign_link("", kLink))) << "no key lets nobody in";
}

TEST(Links, AnyChangeMakesThemNone) {
  const std::string token = sign_link("key", kLink);
  for (std::size_t i = 0; i < token.size(); ++i)
    for (const char c : std::string("A0.-z")) {
      std::string forged = token;
      if (forged[i] == c) continue;
      forged[i] = c;
      // The last digit of the signature has bits that mean nothing; only the one that was written counts.
      EXPECT_FALSE(read_link("key", forged)) << forged;
    }
  for (std::size_t i = 0; i < token.size(); ++i) EXPECT_FALSE(read_link("key", token.substr(0, i)));
  EXPECT_FALSE(read_link("key", token + "A"));
  EXPECT_FALSE(read_link("key", std::string(100'000, '.')));
  Link other = kLink;
  other.option = 1;
  const std::string others = sign_link("key", other);
  EXPECT_FALSE(read_link("key", token.substr(0, token.rfind('.')) + others.substr(others.rfind('.'))))
      << "the signature of another option";
}

TEST(SafeHtml, KeepsWhatLaysTextOut) {
  EXPECT_EQ(safe_html("<p>One &amp; <b>two</b><br>3 &lt; 4</p>"), "<p>One &amp; <b>two</b><br>3 &lt; 4</p>");
  EXPECT_EQ(safe_html("<table><tr><td>a</td></tr></table>"), "<table><tr><td>a</td></tr></table>");
  EXPECT_EQ(safe_html("<a href='https://x.example/?a=1&amp;b=\"'>x</a>"),
            "<a href=\"https://x.example/?a=1&amp;b=&quot;\" rel=\"noopener noreferrer nofollow\">x</a>");
  EXPECT_EQ(safe_html("a < b & c > d"), "a &lt; b &amp; c &gt; d");
}

TEST(SafeHtml, LeavesOutWhatCouldRunLoadSendOrCover) {
  EXPECT_EQ(safe_html("a<script>alert(1)</script>b"), "ab");
  EXPECT_EQ(safe_html("a<SCRIPT src=x>alert(1)</ScRiPt >b"), "ab");
  EXPECT_EQ(safe_html("a<script>never closed <p>b"), "a");
  EXPECT_EQ(safe_html("<style>*{display:none}</style>x"), "x");
  EXPECT_EQ(safe_html("<img src=x onerror=alert(1)>x"), "x");
  EXPECT_EQ(safe_html("<p onclick=\"alert(1)\" style='position:fixed' id=x>y</p>"), "<p>y</p>");
  EXPECT_EQ(safe_html("<form action=/answer/x method=post><button>ok</button></form>"), "ok");
  EXPECT_EQ(safe_html("<a href=javascript:alert(1)>x</a>"), "<a>x</a>");
  EXPECT_EQ(safe_html("<a href=\" https://x\">x</a>"), "<a>x</a>");
  EXPECT_EQ(safe_html("<a href='java&#115;cript:alert(1)'>x</a>"), "<a>x</a>");
  EXPECT_EQ(safe_html("<meta http-equiv=refresh content='0;url=https://evil'>x"), "x");
  EXPECT_EQ(safe_html("<!-- <b> --><!doctype html><?php ?>x"), "x");
  EXPECT_EQ(safe_html("<svg><a href='https://x'>y</a></svg>x"), "x");
  EXPECT_EQ(safe_html("<base href=https://evil>x<link rel=stylesheet>"), "x");
}

TEST(SafeHtml, ClosesWhatItOpensAndNothingElse) {
  EXPECT_EQ(safe_html("</div></main><p><b>x"), "<p><b>x</b></p>");
  EXPECT_EQ(safe_html("<b><i>x</b>y</i>"), "<b><i>x</i></b>y");
  EXPECT_EQ(safe_html("<p title=\"a>b\">x"), "<p>x</p>");
  EXPECT_EQ(safe_html("<p"), "<p></p>");
  EXPECT_EQ(safe_html("<"), "&lt;");
}

TEST(SafeHtml, WhateverComesNothingOfItIsATagThatIsNotKept) {
  std::mt19937_64 random(7);
  const std::string alphabet = "<>/!-\"'= &;#abipscrtxhfe:\n";
  for (int i = 0; i < 20'000; ++i) {
    std::string html;
    for (std::size_t length = random() % 60; length > 0; --length)
      html += alphabet[random() % alphabet.size()];
    const std::string safe = safe_html(html);
    int depth = 0;
    for (std::size_t at = safe.find('<'); at != std::string::npos; at = safe.find('<', at + 1)) {
      const bool is_end = safe[at + 1] == '/';
      const std::size_t name_at = at + (is_end ? 2 : 1);
      const std::string name = safe.substr(name_at, safe.find_first_of(" >", name_at) - name_at);
      EXPECT_NE(name, "script") << html;
      if (name != "br" && name != "hr") depth += is_end ? -1 : 1;
      EXPECT_GE(depth, 0) << html;
    }
    EXPECT_EQ(depth, 0) << html;
  }
}

}  // namespace
}  // namespace flow::test
