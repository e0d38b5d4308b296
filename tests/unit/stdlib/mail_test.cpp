#include <gtest/gtest.h>

#include <future>

#include "stdlib/mail/mime.hpp"
#include "stdlib/mail/reply.hpp"
#include "stdlib/mail/smtp.hpp"
#include "tests/unit/stdlib/smtp_server.hpp"

namespace flow {
namespace {

MailMessage sample() {
  return {.from = "Flow SOC <soc-bot@fabrikam.example>",
          .to = {"lead@fabrikam.example"},
          .subject = "Isolated PC-042",
          .text = "Hello",
          .key = "run-7/3",
          .date_us = 1'791'882'900'000'000};
}

std::string written(const MailMessage& message) {
  const auto mail = write_mail(message);
  return mail ? mail->bytes : "refused: " + mail.error().message;
}

TEST(Mail, APlainMailIsTheseBytes) {
  EXPECT_EQ(written(sample()),
            "Date: Tue, 13 Oct 2026 09:15:00 +0000\r\n"
            "From: Flow SOC <soc-bot@fabrikam.example>\r\n"
            "To: lead@fabrikam.example\r\n"
            "Subject: Isolated PC-042\r\n"
            "Message-Id: " +
                message_id("run-7/3", "soc-bot@fabrikam.example") +
                "\r\n"
                "Auto-Submitted: auto-generated\r\n"
                "X-Auto-Response-Suppress: All\r\n"
                "MIME-Version: 1.0\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n"
                "\r\n"
                "Hello\r\n");
}

TEST(Mail, AMailWithAllPartsIsTheseBytes) {
  MailMessage message = sample();
  message.cc = {"Zo\xc3\xab <z@fabrikam.example>"};
  message.bcc = {"hidden@fabrikam.example"};
  message.reply_to = {"flows@fabrikam.example"};
  message.subject =
      "Alerte \xc3\xa9lev\xc3\xa9"
      "e";
  message.html = "<p>\xc3\xa9</p>";
  message.importance = "High";
  message.attachments = {{"r\xc3\xa9sum\xc3\xa9.csv", "text/csv", "host,action\n"},
                         {"x.bin", "", std::string("\0\1\2", 3)}};
  const auto mail = write_mail(message);
  ASSERT_TRUE(mail.has_value()) << mail.error().message;
  EXPECT_EQ(mail->recipients, (std::vector<std::string>{"lead@fabrikam.example", "z@fabrikam.example",
                                                        "hidden@fabrikam.example"}));
  const std::string hash = message_id("run-7/3", "soc-bot@fabrikam.example").substr(14, 16);
  EXPECT_EQ(mail->bytes.find("hidden@"), std::string::npos) << "Bcc is of the envelope";
  for (const std::string& line :
       {std::string("Reply-To: flows@fabrikam.example\r\n"),
        std::string("Cc: =?UTF-8?b?Wm/Dqw==?= <z@fabrikam.example>\r\n"), std::string("Importance: high\r\n"),
        "Content-Type: multipart/mixed; boundary=\"=_mixed." + hash + "\"\r\n",
        "\r\n--=_mixed." + hash + "\r\nContent-Type: multipart/alternative;",
        std::string("<p>=C3=A9</p>\r\n"),
        std::string("Content-Disposition: attachment; filename*=UTF-8''r%C3%A9sum%C3%A9.csv\r\n"),
        std::string("\r\n\r\naG9zdCxhY3Rpb24K\r\n"), std::string("Content-Type: application/octet-stream;"),
        std::string("\r\n\r\nAAEC\r\n"), "\r\n--=_mixed." + hash + "--\r\n"})
    EXPECT_NE(mail->bytes.find(line), std::string::npos) << line << "\n---\n" << mail->bytes;
  EXPECT_EQ(write_mail(message)->bytes, mail->bytes) << "the same mail has the same bytes";
  EXPECT_NE(write_mail(message, true)->bytes.find("\r\nBcc: hidden@fabrikam.example\r\n"), std::string::npos);
}

TEST(Mail, LinesAreShortAsciiAndEndWithCrLf) {
  MailMessage message = sample();
  for (int i = 0; i < 300; ++i) message.subject += "\xc3\xa9\xe2\x82\xac";
  message.text = std::string(5000, 'x') + "\n.\r\nFrom me\ry" + std::string("\0", 1);
  message.attachments = {{std::string(250, 'n'), "", std::string(4000, '\xff')}};
  const std::string bytes = written(message);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    ASSERT_EQ(bytes[end - 1], '\r');
    EXPECT_LE(end - at, 998u);
    for (std::size_t i = at; i + 1 < end; ++i)
      ASSERT_TRUE(bytes[i] == '\t' || (bytes[i] >= ' ' && bytes[i] < 0x7f)) << i;
    at = end + 1;
  }
}

TEST(Mail, WhatHidesTextBecomesBlank) {
  EXPECT_EQ(harmless("a\xe2\x80\xae"
                     "b\xe2\x81\xa6"
                     "c\xe2\x80\xa8"
                     "d"),
            "a b c d");
  EXPECT_EQ(harmless("=?UTF-8?B?eA==?="), "= ?UTF-8?B?eA== ?=") << "what looks encoded is not decoded";
}

TEST(Mail, MessageIdsAreFixed) {
  EXPECT_EQ(message_id("run-7/3", "a@b.example"), message_id("run-7/3", "a@b.example"));
  EXPECT_NE(message_id("run-7/3", "a@b.example"), message_id("run-7.3", "a@b.example"));
  EXPECT_TRUE(message_id("run-7/3", "a@b.example").starts_with("<flow.run-7.3."));
  EXPECT_TRUE(message_id("run-7/3", "a@b.example").ends_with("@b.example>"));
  EXPECT_EQ(message_id("\r\n<>@ \xc3\xa9", "a@b.example").find_first_of("\r\n <", 1), std::string::npos);
  MailMessage message = sample();
  message.id = "0b3a7c9e@fabrikam.example";
  EXPECT_EQ(write_mail(message)->message_id, "<0b3a7c9e@fabrikam.example>");
  message.id = "x>\r\nBcc: <evil@x.example";
  EXPECT_FALSE(write_mail(message).has_value());
}

TEST(Mail, AddressesAreOneEach) {
  for (const char* good :
       {"a@b.example", "Name <a@b.example>", "\"N, \\\"M\\\"\" <a@b.example>", " a.b+c@x-y.example "})
    EXPECT_TRUE(parse_mailbox(good).has_value()) << good;
  EXPECT_EQ(parse_mailbox("\"N, \\\"M\\\"\" <a@b.example>")->name, "N, \"M\"");
  for (const std::string& bad :
       {std::string(""), std::string("a"), std::string("@b"), std::string("a@"), std::string("a@b@c"),
        std::string("a b@c.example"), std::string("a,b@c.example"), std::string("a@b.example,c@d.example"),
        std::string("a>\r\nRCPT TO:<evil@x.example"), std::string("a\n@b.example"),
        std::string("a@b.example\0", 12), std::string("<a@b.example"),
        std::string("x <a@b.example> <c@d.example>"), std::string("a<b@c.example"),
        std::string("é@b.example"), std::string("a@-b.example"), std::string("a@b..\xc3\xa9"),
        std::string(65, 'a') + "@b.example", "a@" + std::string(255, 'b')})
    EXPECT_FALSE(parse_mailbox(bad).has_value()) << bad;
}

TEST(Mail, InjectionsAreRefused) {
  const auto refused = [](auto change) {
    MailMessage message = sample();
    change(message);
    return !write_mail(message).has_value();
  };
  EXPECT_FALSE(refused([](MailMessage&) {}));
  EXPECT_TRUE(refused([](MailMessage& m) { m.from = "a\r\nBcc: b <c@d.example>"; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to = {"a@b.example", "c>\r\nRCPT TO:<evil@x.example"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.cc = {"a@b.example\n"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.importance = "high\r\nBcc: x"; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to.clear(); }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.text.clear(); }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.bcc = {"a@b.example\r\nX: y"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.reply_to = {"a@b.example\r\nX: y"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.attachments = {{"", "text/csv", "x"}}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.attachments = {{"x", "text/csv\r\nBcc: evil", "x"}}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.attachments = {{"x", "multipart/mixed", "x"}}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.attachments.assign(101, {"x", "", "x"}); }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to.assign(501, "a@b.example"); }));
}

TEST(Mail, AHostileSubjectNeitherForgesAHeaderNorHoldsTheMailBack) {
  for (const std::string& subject :
       {std::string("hi\r\nBcc: evil@x.example"), std::string("a\0b", 3), std::string(5000, 'x')}) {
    MailMessage message = sample();
    message.subject = subject;
    const std::string bytes = written(message);
    EXPECT_TRUE(bytes.starts_with("Date: ")) << bytes;
    EXPECT_EQ(bytes.find("\nBcc"), std::string::npos);
    EXPECT_EQ(bytes.find('\0'), std::string::npos);
  }
}

struct ReplyCase {
  int code;
  const char* text;
  FaultKind kind;
};

TEST(Mail, RepliesSayWhetherToTryAgain) {
  const ReplyCase cases[] = {{421, "421 4.3.2 closing", FaultKind::Throttled},
                             {432, "432 4.3.2 STOREDRV", FaultKind::Throttled},
                             {450, "450 4.7.1 greylisted", FaultKind::Unavailable},
                             {451, "451 4.3.0 local", FaultKind::Unavailable},
                             {452, "452 4.2.2 full", FaultKind::Unavailable},
                             {452, "452 4.5.3 too many", FaultKind::BadRequest},
                             {454, "454 4.7.0 later", FaultKind::Unavailable},
                             {502, "502 what", FaultKind::BadRequest},
                             {530, "530 5.7.0 STARTTLS first", FaultKind::Unauthorized},
                             {534, "534 5.7.9 web login", FaultKind::Unauthorized},
                             {535, "535 5.7.8 no", FaultKind::Unauthorized},
                             {535, "535 5.7.139 disabled", FaultKind::Forbidden},
                             {550, "550 5.1.1 unknown", FaultKind::NotFound},
                             {550, "550 5.7.30 basic", FaultKind::Forbidden},
                             {554, "554 5.2.252 SendAsDenied", FaultKind::Forbidden},
                             {550, "550 5.7.233 external", FaultKind::Throttled},
                             {550, "550 5.7.1 policy", FaultKind::Forbidden},
                             {552, "552 5.3.4 too big", FaultKind::BadRequest},
                             {554, "554 5.6.0 content", FaultKind::BadRequest}};
  for (const ReplyCase& each : cases) {
    const Fault fault = smtp_fault(each.code, each.text);
    EXPECT_EQ(fault.kind, each.kind) << each.text;
    EXPECT_NE(fault.message.find(each.text), std::string::npos);
    EXPECT_FALSE(fault.maybe_executed);
  }
}

struct Smtp : testing::Test {
  std::unique_ptr<SmtpSender> sender = make_curl_smtp_sender();

  MailResult deliver(const SmtpTestServer& server, MailMessage message,
                     SmtpServer::Login login = SmtpServer::Login::None,
                     SmtpServer::Security security = SmtpServer::Security::None, int deadline_ms = 3000) {
    std::promise<MailResult> promise;
    auto future = promise.get_future();
    sender->send({.server = {.host = "127.0.0.1",
                             .port = server.port(),
                             .security = security,
                             .login = login,
                             .sends_login_in_clear = true,
                             .user = "soc",
                             .helo = "flow.example"},
                  .credential = login == SmtpServer::Login::None ? "" : "pass-word-value",
                  .message = std::move(message),
                  .deadline_us = deadline_ms * 1000},
                 [&](MailResult result) { promise.set_value(std::move(result)); });
    return future.get();
  }
};

TEST_F(Smtp, ATrialSignsInAndSendsNothing) {
  SmtpTestServer server;
  const auto tried = [&](const SmtpTestServer& at) {
    std::promise<MailResult> promise;
    auto future = promise.get_future();
    sender->send({.server = {.host = "127.0.0.1",
                             .port = at.port(),
                             .security = SmtpServer::Security::None,
                             .login = SmtpServer::Login::Password,
                             .sends_login_in_clear = true,
                             .user = "soc"},
                  .credential = "pass-word-value",
                  .message = {},
                  .is_trial = true,
                  .deadline_us = 3'000'000},
                 [&](MailResult result) { promise.set_value(std::move(result)); });
    return future.get();
  };
  const MailResult good = tried(server);
  ASSERT_TRUE(good.has_value()) << good.error().message;
  EXPECT_EQ(good->message_id, "");
  bool has_signed_in = false;
  for (const std::string& command : server.commands()) {
    EXPECT_FALSE(command.starts_with("MAIL")) << command;
    has_signed_in = has_signed_in || command.starts_with("AUTH");
  }
  EXPECT_TRUE(has_signed_in);
  const SmtpTestServer refuses(SmtpTestServer::Replies{{"AUTH", "535 5.7.8 who are you?"}});
  const MailResult bad = tried(refuses);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().kind, FaultKind::Unauthorized);
}

TEST_F(Smtp, AMessageArrivesAsItShould) {
  SmtpTestServer server;
  MailMessage message = sample();
  message.cc = {"Zoë <z@fabrikam.example>", "lead@fabrikam.example"};
  message.subject = "Alerte élevée";
  message.text = "Zeile 1\n.\nFrom é\n";
  message.html = "<p>é</p>";
  message.importance = "high";
  const MailResult result = deliver(server, message);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->message_id, message_id("run-7/3", "soc-bot@fabrikam.example"));
  const std::vector<std::string> commands = server.commands();
  ASSERT_GE(commands.size(), 5u);
  EXPECT_EQ(commands[0], "EHLO flow.example");
  EXPECT_TRUE(commands[1].starts_with("MAIL FROM:<soc-bot@fabrikam.example>")) << commands[1];
  EXPECT_EQ(commands[2], "RCPT TO:<lead@fabrikam.example>");
  EXPECT_EQ(commands[3], "RCPT TO:<z@fabrikam.example>");
  EXPECT_EQ(commands[4], "DATA");
  const std::string wire = server.message();
  for (const std::string& line :
       {std::string("Date: Tue, 13 Oct 2026 09:15:00 +0000\r\n"),
        "Message-Id: " + result->message_id + "\r\n", std::string("Importance: high\r\n"),
        std::string("Content-Type: multipart/alternative; boundary="), std::string("Zeile 1\r\n"),
        std::string("From =C3=A9"), std::string("<p>=C3=A9</p>")})
    EXPECT_NE(wire.find(line), std::string::npos) << line << "\n---\n" << wire;
  EXPECT_LT(wire.find("text/plain"), wire.find("text/html"));
}

TEST_F(Smtp, LoginsUseWhatIsConfigured) {
  SmtpTestServer password;
  ASSERT_TRUE(deliver(password, sample(), SmtpServer::Login::Password).has_value());
  EXPECT_TRUE(password.commands().at(1).starts_with("AUTH PLAIN")) << password.commands().at(1);
  SmtpTestServer token;
  ASSERT_TRUE(deliver(token, sample(), SmtpServer::Login::Bearer).has_value());
  EXPECT_TRUE(token.commands().at(1).starts_with("AUTH XOAUTH2")) << token.commands().at(1);
}

TEST_F(Smtp, ALoginGoesNowhereWithoutTlsUnlessSomebodySaysSo) {
  SmtpTestServer server;
  std::promise<MailResult> promise;
  sender->send({.server = {.host = "127.0.0.1",
                           .port = server.port(),
                           .security = SmtpServer::Security::None,
                           .login = SmtpServer::Login::Password,
                           .user = "soc"},
                .credential = "pass-word-value",
                .message = sample()},
               [&](MailResult result) { promise.set_value(std::move(result)); });
  const MailResult result = promise.get_future().get();
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("without TLS"), std::string::npos);
  EXPECT_TRUE(server.commands().empty());
}

TEST_F(Smtp, RefusalsTellWhoAndWhy) {
  struct Case {
    SmtpTestServer::Replies replies;
    FaultKind kind;
    bool maybe;
  };
  const Case cases[] = {
      {{{"AUTH", "535 5.7.8 no such pass-word"}}, FaultKind::Unauthorized, false},
      {{{"MAIL", "550 5.7.60 SendAsDenied"}}, FaultKind::Forbidden, false},
      {{{"RCPT", "550 5.1.1 user unknown"}}, FaultKind::NotFound, false},
      {{{"RCPT", "451 4.3.0 later"}}, FaultKind::Unavailable, false},
      {{{"DATA", "451 4.3.0 later"}}, FaultKind::Unavailable, false},
      {{{".", "554 5.6.0 content"}}, FaultKind::BadRequest, false},
      {{{".", "452 4.2.2 full"}}, FaultKind::Unavailable, false},
      {{{".", ""}}, FaultKind::Unavailable, true},
      {{{"MAIL", ""}}, FaultKind::Unavailable, false},
      {{{"DATA", ""}}, FaultKind::Unavailable, false},
  };
  for (const Case& each : cases) {
    SmtpTestServer server(each.replies);
    const MailResult result = deliver(server, sample(), SmtpServer::Login::Password);
    ASSERT_FALSE(result.has_value()) << each.replies.begin()->second;
    EXPECT_EQ(result.error().kind, each.kind) << each.replies.begin()->second << result.error().message;
    EXPECT_EQ(result.error().maybe_executed, each.maybe) << result.error().message;
    EXPECT_EQ(result.error().message.find("pass-word-value"), std::string::npos) << result.error().message;
  }
}

TEST_F(Smtp, AServerWithoutTlsIsRefusedWhenTlsIsWanted) {
  SmtpTestServer server;
  const MailResult result =
      deliver(server, sample(), SmtpServer::Login::Password, SmtpServer::Security::StartTls);
  ASSERT_FALSE(result.has_value());
  EXPECT_FALSE(result.error().maybe_executed);
  for (const std::string& command : server.commands())
    EXPECT_FALSE(command.starts_with("AUTH")) << "the login went out in clear";
}

TEST_F(Smtp, DeadServersEndInAFault) {
  std::uint16_t port = 0;
  {
    const SmtpTestServer gone;
    port = gone.port();
  }
  std::promise<MailResult> promise;
  sender->send({.server = {.host = "127.0.0.1", .port = port, .security = SmtpServer::Security::None},
                .message = sample()},
               [&](MailResult result) { promise.set_value(std::move(result)); });
  const MailResult result = promise.get_future().get();
  EXPECT_EQ(result.error().kind, FaultKind::Unavailable);
  EXPECT_FALSE(result.error().maybe_executed);
}

TEST_F(Smtp, NothingReachesTheWireOfAForgedMessage) {
  SmtpTestServer server;
  MailMessage message = sample();
  message.to = {"a>\r\nRCPT TO:<evil@x.example"};
  const MailResult result = deliver(server, message);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, FaultKind::BadRequest);
  EXPECT_TRUE(server.commands().empty());
}

}  // namespace
}  // namespace flow
