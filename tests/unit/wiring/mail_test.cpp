// The declaration of `mail` and the executor agree: what a flow says arrives as text or as HTML.
#include <gtest/gtest.h>

#include <algorithm>

#include "apps/cli/source.hpp"
#include "stdlib/executor/request.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

MailMessage mail_by_smtp(const std::string& arguments) {
  const Library& library = standard_library();
  const Operation* const mail = library.operation("mail", "mail");
  TenantAccess access;
  access.routes = {{"mail", "smtp"}};
  access.settings = {{"smtp.sender", "soc-bot@contoso.com"}};
  const auto route = chosen_route(*mail, access);
  const auto values = parse_json(arguments);
  EXPECT_TRUE(route && values);
  Redaction redaction;
  const auto message = mail_message(
      {*mail, **route, library.connectors[(*route)->connector], access, *values, "run/1"}, redaction);
  EXPECT_TRUE(message) << message.error().message;
  return message.value_or(MailMessage{});
}

TEST(MailBySmtp, ATextIsText) {
  const MailMessage mail =
      mail_by_smtp(R"({"to":"a@contoso.com","subject":"s","body":"plain","cc":null,"importance":"Normal"})");
  EXPECT_EQ(mail.text, "plain");
  EXPECT_EQ(mail.html, "");
}

TEST(MailBySmtp, HtmlIsHtml) {
  const MailMessage mail = mail_by_smtp(
      R"({"to":["a@contoso.com"],"subject":"s","body":{"$html":"<b>x</b>"},"cc":null,"importance":"High"})");
  EXPECT_EQ(mail.text, "");
  EXPECT_EQ(mail.html, "<b>x</b>");
}

}  // namespace
}  // namespace flow
