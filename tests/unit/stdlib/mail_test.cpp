#include <gtest/gtest.h>

#include <future>

#include "stdlib/mail/message.hpp"
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

TEST(Mail, SubjectsAreEncodedAsTheVectorSays) {
  EXPECT_EQ(encoded_words("Alerte élevée – poste PC-042 isolé"),
            "=?UTF-8?B?QWxlcnRlIMOpbGV2w6llIOKAkyBwb3N0ZSBQQy0wNDIgaXNvbMOp?=");
  EXPECT_EQ(encoded_words("plain"), "plain");
  EXPECT_EQ(encoded_words("=?UTF-8?B?eA==?="), "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=")
      << "text that looks encoded is text";
}

TEST(Mail, LongSubjectsAreFoldedBetweenCharacters) {
  std::string subject;
  for (int i = 0; i < 60; ++i) subject += "é€";
  const std::string encoded = encoded_words(subject);
  for (std::size_t at = 0; at < encoded.size();) {
    const std::size_t end = std::min(encoded.find("\r\n ", at), encoded.size());
    EXPECT_LE(end - at, 75u);
    EXPECT_TRUE(encoded.substr(at, end - at).starts_with("=?UTF-8?B?"));
    EXPECT_EQ((end - at - 12) % 4, 0u);
    at = end + 3;
  }
}

TEST(Mail, WhatHidesTextBecomesBlank) {
  EXPECT_EQ(encoded_words("a\xe2\x80\xae"
                          "b\xe2\x81\xa6"
                          "c\xe2\x80\xa8"
                          "d"),
            "a b c d");
  EXPECT_EQ(encoded_mailbox({.name = "A \"B\" \\", .address = "a@b.example"}),
            "\"A \\\"B\\\" \\\\\" <a@b.example>");
  EXPECT_EQ(encoded_mailbox({.name = "é", .address = "a@b.example"}), "=?UTF-8?B?w6k=?= <a@b.example>");
}

TEST(Mail, DatesAndMessageIdsAreFixed) {
  EXPECT_EQ(mail_date(1'791'882'900'000'000), "Tue, 13 Oct 2026 09:15:00 +0000");
  EXPECT_EQ(message_id("run-7/3", "a@b.example"), message_id("run-7/3", "a@b.example"));
  EXPECT_NE(message_id("run-7/3", "a@b.example"), message_id("run-7.3", "a@b.example"));
  EXPECT_TRUE(message_id("run-7/3", "a@b.example").starts_with("<flow.run-7.3."));
  EXPECT_TRUE(message_id("run-7/3", "a@b.example").ends_with("@b.example>"));
  EXPECT_EQ(message_id("\r\n<>@ \xc3\xa9", "a@b.example").find_first_of("\r\n <", 1), std::string::npos);
}

TEST(Mail, LineEndsBecomeCrLf) {
  EXPECT_EQ(with_mail_line_ends("a\nb\r\nc\rd\n.\n"), "a\r\nb\r\nc\r\nd\r\n.\r\n");
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
    return !prepare_mail(message).has_value();
  };
  EXPECT_FALSE(refused([](MailMessage&) {}));
  EXPECT_TRUE(refused([](MailMessage& m) { m.from = "a\r\nBcc: b <c@d.example>"; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to = {"a@b.example", "c>\r\nRCPT TO:<evil@x.example"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.cc = {"a@b.example\n"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.importance = "high\r\nBcc: x"; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to.clear(); }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.text.clear(); }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to.assign(501, "a@b.example"); }));
}

TEST(Mail, AHostileSubjectNeitherForgesAHeaderNorHoldsTheMailBack) {
  for (const std::string& subject :
       {std::string("hi\r\nBcc: evil@x.example"), std::string("a\0b", 3), std::string(5000, 'x')}) {
    MailMessage message = sample();
    message.subject = subject;
    const auto prepared = prepare_mail(message);
    ASSERT_TRUE(prepared.has_value());
    for (const std::string& header : prepared->headers) {
      EXPECT_EQ(header.find("\r\nBcc"), std::string::npos);
      EXPECT_EQ(header.find('\0'), std::string::npos);
      EXPECT_LT(header.size(), 2000u);
    }
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
                             .user = "soc",
                             .helo = "flow.example"},
                  .credential = login == SmtpServer::Login::None ? "" : "pass-word-value",
                  .message = std::move(message),
                  .deadline_us = deadline_ms * 1000},
                 [&](MailResult result) { promise.set_value(std::move(result)); });
    return future.get();
  }
};

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
        std::string("From: \"Flow SOC\" <soc-bot@fabrikam.example>\r\n"),
        std::string("To: lead@fabrikam.example\r\n"),
        std::string("Cc: =?UTF-8?B?Wm/Dqw==?= <z@fabrikam.example>,\r\n lead@fabrikam.example\r\n"),
        std::string("Subject: =?UTF-8?B?QWxlcnRlIMOpbGV2w6ll?=\r\n"),
        "Message-ID: " + result->message_id + "\r\n", std::string("Auto-Submitted: auto-generated\r\n"),
        std::string("X-Auto-Response-Suppress: All\r\n"), std::string("Importance: high\r\n"),
        std::string("Mime-Version: 1.0\r\n"), std::string("Content-Type: multipart/alternative; boundary="),
        std::string("Content-Type: text/plain; charset=utf-8\r\n"),
        std::string("Content-Type: text/html; charset=utf-8\r\n"), std::string("Zeile 1\r\n"),
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
