#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "apps/sim/json.hpp"
#include "apps/sim/mail_message.hpp"
#include "apps/sim/smtp_session.hpp"
#include "apps/sim/tenant.hpp"
#include "tests/unit/sim/raw_client.hpp"

namespace flow::sim {
namespace {

struct Dialogue {
  explicit Dialogue(SmtpOptions options = {})
      : session(options, {[this](SmtpEnvelope envelope, std::string message) {
                            envelopes.push_back(std::move(envelope));
                            messages.push_back(std::move(message));
                          },
                          [this](std::string_view command) {
                            return command == faulty_command ? std::optional(fault) : std::nullopt;
                          }}) {
    session.feed("");
  }
  std::string say(const std::string& line) { return session.feed(line + "\r\n"); }
  std::string code(const std::string& line) { return say(line).substr(0, 3); }
  std::string mail(const std::string& message) {
    for (const char* line : {"EHLO me", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA"})
      say(line);
    return session.feed(message + "\r\n.\r\n").substr(0, 3);
  }

  std::vector<SmtpEnvelope> envelopes;
  std::vector<std::string> messages;
  std::string faulty_command;
  SmtpFault fault;
  SmtpSession session;
};

TEST(Smtp, DeliversAMailWithoutItsStuffing) {
  Dialogue d;
  EXPECT_NE(d.say("EHLO me").find("250-SIZE"), std::string::npos);
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com> SIZE=100 BODY=8BITMIME"), "250");
  EXPECT_EQ(d.code("RCPT TO:<b@example.com>"), "250");
  EXPECT_EQ(d.code("RCPT TO:<c@example.com> NOTIFY=FAILURE"), "250");
  EXPECT_EQ(d.code("DATA"), "354");
  EXPECT_EQ(d.session.feed("Subject: x\r\n\r\n..dot\r\n...\r\n.\r\n").substr(0, 3), "250");
  ASSERT_EQ(d.messages.size(), 1u);
  EXPECT_EQ(d.messages[0], "Subject: x\r\n\r\n.dot\r\n..\r\n");
  EXPECT_EQ(d.envelopes[0].to.size(), 2u);
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com>"), "250") << "a second mail on the same connection";
  EXPECT_EQ(d.code("RSET"), "250");
  EXPECT_EQ(d.code("NOOP"), "250");
  EXPECT_EQ(d.code("QUIT"), "221");
  EXPECT_TRUE(d.session.is_over());
}

TEST(Smtp, TakesBytesOneByOneAndAllAtOnce) {
  Dialogue d;
  const std::string all = "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n";
  for (const char c : all) d.session.feed(std::string(1, c));
  EXPECT_EQ(d.messages.size(), 1u);
  Dialogue together;
  together.session.feed(all);
  EXPECT_EQ(together.messages.size(), 1u);
  EXPECT_TRUE(together.session.is_over());
}

TEST(Smtp, OrderIsHeld) {
  Dialogue d;
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com>"), "503");
  d.say("EHLO me");
  EXPECT_EQ(d.code("RCPT TO:<a@example.com>"), "503");
  EXPECT_EQ(d.code("DATA"), "503");
  EXPECT_EQ(d.code("MAIL FROM:a@example.com"), "501");
  EXPECT_EQ(d.code("MAIL FROM:<a>"), "501");
  EXPECT_EQ(d.code("MAIL TO:<a@example.com>"), "501");
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com> SIZE=99999999999"), "552");
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com>"), "250");
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com>"), "503");
  EXPECT_EQ(d.code("RCPT TO:<a b@example.com>"), "501");
  EXPECT_EQ(d.code("EHLO"), "501");
  EXPECT_EQ(d.code("WHAT"), "500");
}

TEST(Smtp, LoginsAreChecked) {
  SmtpOptions options;
  options.user = "bot";
  options.password = "secret";
  options.requires_login = true;
  Dialogue d(options);
  d.say("EHLO me");
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com>"), "530");
  EXPECT_EQ(d.code("AUTH PLAIN AGJvdAB3cm9uZw=="), "535");
  EXPECT_EQ(d.code("AUTH PLAIN !!!"), "535");
  EXPECT_EQ(d.code("AUTH CRAM-MD5"), "504");
  EXPECT_EQ(d.code("AUTH LOGIN"), "334");
  EXPECT_EQ(d.code("Ym90"), "334");
  EXPECT_EQ(d.code("c2VjcmV0"), "235");
  EXPECT_EQ(d.code("MAIL FROM:<a@example.com>"), "250");
  Dialogue plain(options);
  plain.say("EHLO me");
  EXPECT_EQ(plain.say("AUTH PLAIN"), "334 \r\n");
  EXPECT_EQ(plain.code("AGJvdABzZWNyZXQ="), "235");
  Dialogue any;
  any.say("EHLO me");
  EXPECT_EQ(any.code("AUTH PLAIN AGEAYg=="), "235");
}

TEST(Smtp, LimitsAreHeld) {
  EXPECT_EQ(Dialogue().mail("x\n.\ny"), "554") << "a bare LF";
  EXPECT_EQ(Dialogue().mail(std::string(999, 'x')), "554");
  EXPECT_EQ(Dialogue().mail(std::string(998, 'x')), "250");
  SmtpOptions small;
  small.most_bytes = 2'000;
  Dialogue d(small);
  std::string big;
  for (int i = 0; i < 10; ++i) big += std::string(300, 'x') + "\r\n";
  EXPECT_EQ(d.mail(big), "552");
  EXPECT_TRUE(d.messages.empty());
  EXPECT_EQ(d.mail("fits"), "250") << "the connection goes on";
  Dialogue many;
  many.say("EHLO me");
  many.say("MAIL FROM:<a@example.com>");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(many.code("RCPT TO:<a@example.com>"), "250");
  EXPECT_EQ(many.code("RCPT TO:<a@example.com>"), "452");
  Dialogue endless;
  endless.session.feed(std::string(20'000, 'x'));
  EXPECT_TRUE(endless.session.is_over());
}

TEST(Smtp, GarbageEndsTheDialogue) {
  Dialogue d;
  std::string said;
  for (int i = 0; i < 30 && !d.session.is_over(); ++i)
    said = d.session.feed(std::string("\x16\x03\x00\xff\n\0\r\n", 8));
  EXPECT_TRUE(d.session.is_over());
  EXPECT_NE(said.find("421"), std::string::npos);
}

TEST(Smtp, FaultsAnswerOrClose) {
  Dialogue d;
  d.faulty_command = "RCPT";
  d.fault = {450, false};
  d.say("EHLO me");
  d.say("MAIL FROM:<a@example.com>");
  EXPECT_EQ(d.code("RCPT TO:<b@example.com>"), "450");
  Dialogue lost;
  lost.faulty_command = "DATA";
  lost.fault = {0, true};
  EXPECT_EQ(lost.mail("x"), "");
  EXPECT_TRUE(lost.session.is_over());
  EXPECT_EQ(lost.messages.size(), 1u) << "stored, the answer lost";
}

TEST(MailMessage, IsReadAsItsReceiverWould) {
  const MailMessage mail = parse_mail(
      "From: \"Flow, bot\" <bot@example.com>\r\nTo: Lead <lead@example.com>,\r\n b@example.com\r\n"
      "Subject: =?utf-8?B?SXNvbGllcnQ6IEdlcsOkdA==?=\r\n =?utf-8?Q?_042_=E2=9C=93?= end\r\nMessage-ID: "
      "<1@x>\r\n"
      "Content-Type: multipart/mixed; boundary=\"o\"\r\n\r\npreamble\r\n--o\r\nContent-Type: "
      "multipart/alternative; "
      "boundary=i\r\n\r\n"
      "--i\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\n\r\nGer=C3=A4t=\r\n 042\r\n"
      "--i\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+eDwvcD4=\r\n--i--\r\n"
      "--o\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; "
      "filename=\"r.csv\"\r\n\r\na,b\r\n--o--\r\n");
  EXPECT_EQ(mail.subject, "Isoliert: Gerät 042 ✓ end");
  EXPECT_EQ(mail.from, "bot@example.com");
  EXPECT_EQ(mail.to, (std::vector<std::string>{"lead@example.com", "b@example.com"}));
  EXPECT_EQ(mail.message_id, "<1@x>");
  EXPECT_EQ(mail.text, "Gerät 042");
  EXPECT_EQ(mail.html, "<p>x</p>");
  EXPECT_EQ(mail.attachments, std::vector<std::string>{"r.csv"});
  for (const char* odd : {"", "\r\n", "no header", ": x\r\n\r\ny", "=?utf-8?B?", "Subject: =?x?Q?=?=\r\n",
                          "Content-Type: multipart/x\r\n\r\n--\r\n"})
    parse_mail(odd);
}

std::string http(std::uint16_t port, const std::string& method, const std::string& target,
                 const std::string& body = {}) {
  RawClient client(port);
  client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  return client.read_all();
}

TEST(Sim, ServesHttpAndSmtpTogether) {
  const auto sim = Sim::start({});
  ASSERT_TRUE(sim) << sim.error().message;
  RawClient smtp((*sim)->smtp_port());
  EXPECT_TRUE(smtp.read_until("\r\n").starts_with("220 "));
  smtp.send("EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n");
  smtp.read_until("354");
  smtp.send("Subject: hello\r\nTo: b@example.com\r\n\r\nbody\r\n.\r\n");
  smtp.read_until("stored\r\n");
  const std::string mails = http((*sim)->port(), "GET", "/sim/mails");
  EXPECT_NE(mails.find(R"("via":"smtp")"), std::string::npos) << mails;
  EXPECT_NE(mails.find(R"("subject":"hello")"), std::string::npos) << mails;
  EXPECT_NE(http((*sim)->port(), "GET", "/api/alerts").find("401 Unauthorized"), std::string::npos);
  EXPECT_EQ((*sim)->ask("POST", "/sim/alerts", R"({"severity":"High"})").status, 200);
  (*sim)->ask("POST", "/sim/faults", R"({"match":"SMTP MAIL","status":451})");
  smtp.send("MAIL FROM:<a@example.com>\r\n");
  EXPECT_TRUE(smtp.read_until("\r\n").find("451") != std::string::npos);
  (*sim)->stop();
  EXPECT_EQ((*sim)->ask("GET", "/sim/stats").status, 0);
}

TEST(Sim, SmtpSurvivesGarbageOverTheNetwork) {
  const auto sim = Sim::start({});
  ASSERT_TRUE(sim);
  for (int i = 0; i < 150; ++i) {
    RawClient client((*sim)->smtp_port());
    client.send(std::string(i * 500, static_cast<char>(i)));
    if (i % 2 == 0) client.send("\r\nDATA\r\n\n\n\0\r\n");
  }
  RawClient client((*sim)->smtp_port());
  EXPECT_TRUE(client.read_until("\r\n").starts_with("220 "));
}

TEST(Sim, RunsUntilTold) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run_sim({}));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::kill(child, SIGTERM);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Sim, SaysWhichFileIsWrong) {
  SimOptions options;
  options.alerts_file = testing::TempDir() + "/alerts.json";
  std::ofstream(options.alerts_file) << R"([{"severity":"Severe"}])";
  const auto wrong = Sim::start(options);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, options.alerts_file + ": `Severe` is no severity");
  options.alerts_file = "/nonexistent/alerts.json";
  EXPECT_EQ(Sim::start(options).error().message, "/nonexistent/alerts.json: cannot be opened");
}

}  // namespace
}  // namespace flow::sim
