// The doubles of mail services: Graph's drafts, Gmail, Azure Communication Services.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/sim/url.hpp"
#include "stdlib/identity/azure_signature.hpp"
#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

using ::testing::HasSubstr;

const std::string kMailbox = "/v1.0/users/soc-bot@contoso.com/messages";
const std::string kDraft =
    R"({"subject":"Isolated","body":{"contentType":"Text","content":"x"},
        "toRecipients":[{"emailAddress":{"address":"soc@contoso.com"}}],
        "singleValueExtendedProperties":[{"id":"String {66f5a359-4659-4830-9070-00047ec6ac6e} Name FlowKey","value":"r1/3"}]})";

struct Drafts : testing::Test {
  TestTenant t;

  Answered ask(const std::string& method, const std::string& target, const std::string& body,
               std::vector<std::pair<std::string, std::string>> more = {}) {
    if (t.graph_token.empty()) t.graph_token = t.token("https://graph.microsoft.com");
    HttpQuestion question{method, target, std::move(more), body};
    question.headers.emplace_back("Content-Type", "application/json");
    question.headers.emplace_back("Host", "127.0.0.1:8123");
    if (!target.starts_with("/uploads/"))
      question.headers.emplace_back("Authorization", "Bearer " + t.graph_token);
    Answered answered;
    answered.whole = t.tenant.handle(question);
    answered.status = answered.whole.status;
    if (auto json = parse_json(answered.whole.body)) answered.json = std::move(*json);
    return answered;
  }
  std::string draft(const std::string& prefer = "IdType=\"ImmutableId\"") {
    const Answered made = ask("POST", kMailbox, kDraft, {{"Prefer", prefer}});
    EXPECT_EQ(made.status, 201) << made.whole.body;
    return std::string(made.json["id"].text());
  }
  // What a look-up by the key's property finds.
  Json::List found(const std::string& key = "r1/3") {
    return t
        .graph("GET",
               kMailbox + "?%24select=id,isDraft&%24filter=" +
                   percent_encoded("singleValueExtendedProperties/any(p: p/id eq 'String "
                                   "{66f5a359-4659-4830-9070-00047ec6ac6e} Name FlowKey' and p/value eq '" +
                                   key + "')"))
        .value();
  }
};

TEST_F(Drafts, AreFoundByTheirKeyBeforeAndAfterTheyAreSent) {
  EXPECT_TRUE(found().empty());
  const std::string id = draft();
  ASSERT_EQ(found().size(), 1u);
  EXPECT_TRUE(found()[0]["isDraft"].boolean());
  EXPECT_EQ(t.sim("GET", "drafts").value().size(), 1u);
  EXPECT_TRUE(t.sim("GET", "mails").value().empty());
  EXPECT_EQ(ask("POST", kMailbox + "/" + id + "/send", "").status, 202);
  ASSERT_EQ(found().size(), 1u);
  EXPECT_FALSE(found()[0]["isDraft"].boolean());
  EXPECT_EQ(found()[0]["id"].text(), id);  // immutable
  EXPECT_TRUE(found("r1/4").empty());
  const Json::List mails = t.sim("GET", "mails").value();
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0]["via"].text(), "graph");
  EXPECT_EQ(mails[0]["to"].to_text(), R"(["soc@contoso.com"])");
  EXPECT_EQ(t.sim("GET", "stats").json["mails"]["graph"].integer(), 1);
  // Twice does not send twice.
  EXPECT_EQ(ask("POST", kMailbox + "/" + id + "/send", "").code(), "ErrorInvalidOperation");
  EXPECT_EQ(t.sim("GET", "mails").value().size(), 1u);
}

TEST_F(Drafts, GetAnotherIdWhenSentUnlessItIsToStay) {
  const std::string id = draft("x=y");
  EXPECT_EQ(ask("POST", kMailbox + "/" + id + "/send", "").status, 202);
  EXPECT_NE(found()[0]["id"].text(), id);
  EXPECT_EQ(ask("POST", kMailbox + "/" + id + "/send", "").status, 404);
}

TEST_F(Drafts, AreDeletedAndRefused) {
  const std::string id = draft();
  EXPECT_EQ(t.graph("GET", kMailbox + "/" + id).json["subject"].text(), "Isolated");
  EXPECT_EQ(t.graph("GET", "/v1.0/users/other@contoso.com/messages/" + id).status, 404);
  EXPECT_EQ(t.graph("DELETE", kMailbox + "/" + id).status, 204);
  EXPECT_EQ(t.graph("DELETE", kMailbox + "/" + id).code(), "ErrorItemNotFound");
  EXPECT_EQ(t.graph("POST", "/v1.0/users/nobody/messages", kDraft).code(), "ErrorInvalidUser");
  EXPECT_EQ(t.graph("POST", kMailbox, R"({"subjekt":"x"})").code(), "RequestBodyRead");
  EXPECT_EQ(t.graph("POST", kMailbox, "no json").code(), "RequestBodyRead");
  // Without recipients there may be a draft, and no mail.
  const Answered empty = t.graph("POST", kMailbox, R"({"subject":"x"})");
  ASSERT_EQ(empty.status, 201);
  EXPECT_EQ(t.graph("POST", kMailbox + "/" + std::string(empty.json["id"].text()) + "/send").code(),
            "ErrorInvalidRecipients");
  t.sim("POST", "config", R"({"roles":["Mail.Send"]})");
  TestTenant other;
  other.sim("POST", "config", R"({"roles":["Mail.Send"]})");
  EXPECT_EQ(other.graph("POST", kMailbox, kDraft).code(), "ErrorAccessDenied");
}

TEST_F(Drafts, TakeLargeAttachmentsInPieces) {
  const std::string id = draft();
  const auto open = [&](const std::string& item) {
    return ask("POST", kMailbox + "/" + id + "/attachments/createUploadSession",
               R"({"AttachmentItem":)" + item + "}");
  };
  EXPECT_EQ(open(R"({"attachmentType":"file","name":"a.zip"})").status, 400);
  EXPECT_EQ(open(R"({"attachmentType":"file","name":"a.zip","size":200000000})").status, 413);
  const Answered opened = open(R"({"attachmentType":"file","name":"a.zip","size":10})");
  ASSERT_EQ(opened.status, 201);
  const std::string url(opened.json["uploadUrl"].text());
  ASSERT_THAT(url, testing::StartsWith("http://127.0.0.1:8123/uploads/"));
  const std::string target = url.substr(std::string("http://127.0.0.1:8123").size());
  const auto put = [&](const std::string& range, const std::string& bytes) {
    return ask("PUT", target, bytes, {{"Content-Range", range}});
  };
  EXPECT_EQ(put("bytes 0-4/10", "12345").json["nextExpectedRanges"].to_text(), R"(["5-"])");
  EXPECT_EQ(put("bytes 0-4/10", "12345").status, 416);
  EXPECT_EQ(put("bytes 5-9/10", "1234").status, 400);
  EXPECT_EQ(put("bytes 5-9/11", "12345").status, 400);
  EXPECT_EQ(put("5-9", "12345").status, 400);
  EXPECT_EQ(put("bytes 5-99999999999999999999/10", "12345").status, 400);
  EXPECT_EQ(
      ask("PUT", target, "12345", {{"Content-Range", "bytes 5-9/10"}, {"Authorization", "Bearer x"}}).status,
      401);
  EXPECT_EQ(ask("GET", target, "").json["nextExpectedRanges"].to_text(), R"(["5-"])");
  EXPECT_EQ(put("bytes 5-9/10", "67890").status, 201);
  EXPECT_EQ(put("bytes 5-9/10", "67890").status, 404);
  EXPECT_EQ(
      ask("POST", kMailbox + "/" + id + "/attachments", R"({"name":"b.txt","contentBytes":"aGk="})").status,
      201);
  EXPECT_EQ(ask("POST", kMailbox + "/" + id + "/send", "").status, 202);
  EXPECT_EQ(t.sim("GET", "mails").value().at(0)["attachments"].to_text(), R"(["a.zip","b.txt"])");
}

// ---- Gmail

const std::string kRaw =
    "From: soc-bot@contoso.com\r\nTo: soc@contoso.com\r\nBcc: lead@contoso.com\r\nSubject: Isolated\r\n"
    "Message-ID: <key-1@contoso.com>\r\n\r\nHello\r\n";

struct Gmail : testing::Test {
  TestTenant t;
  std::string token;

  void SetUp() override {
    const Answered answered = sign_in(
        "grant_type=refresh_token&client_id=sim-client.apps.googleusercontent.com&client_secret=sim-secret&"
        "refresh_token=1%2F%2Fsim-refresh");
    ASSERT_EQ(answered.status, 200) << answered.whole.body;
    token = answered.json["access_token"].text();
  }
  Answered sign_in(const std::string& form) {
    return t.ask("POST", "/token", form, {}, "application/x-www-form-urlencoded");
  }
  Answered upload(const std::string& message = kRaw) {
    return t.ask("POST", "/upload/gmail/v1/users/me/messages/send?uploadType=media", message, token,
                 "message/rfc822");
  }
  std::string reason(const Answered& answered) {
    const Json::List& errors = answered.json["error"]["errors"].items();
    return errors.empty() ? "" : std::string(errors[0]["reason"].text());
  }
};

TEST_F(Gmail, SendsAndFinds) {
  ASSERT_EQ(upload().status, 200);
  const Json::List mails = t.sim("GET", "mails").value();
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0]["via"].text(), "gmail");
  EXPECT_EQ(mails[0]["bcc"].to_text(), R"(["lead@contoso.com"])");
  EXPECT_EQ(mails[0]["subject"].text(), "Isolated");
  for (const Json& header : mails[0]["headers"].items()) EXPECT_NE(header["name"].text(), "Bcc");
  const auto search = [&](const std::string& id) {
    return t.ask("GET", "/gmail/v1/users/me/messages?q=rfc822msgid%3A" + id, "", token).json;
  };
  EXPECT_EQ(search("key-1%40contoso.com")["messages"].items().size(), 1u);
  EXPECT_EQ(search("key-2%40contoso.com")["resultSizeEstimate"].integer(), 0);
  EXPECT_EQ(search("key-2%40contoso.com").find("messages"), nullptr);
  const std::string raw = R"({"raw":")" + base64url_encoded(kRaw) + "\"}";
  EXPECT_EQ(t.ask("POST", "/gmail/v1/users/soc-bot@contoso.com/messages/send", raw, token).status, 200);
  EXPECT_EQ(t.sim("GET", "stats").json["mails"]["gmail"].integer(), 2);
}

TEST_F(Gmail, ReplacesASenderWhoIsNoAlias) {
  const std::string other = "From: ciso@contoso.com" + kRaw.substr(kRaw.find("\r\n"));
  upload(other);
  t.sim("POST", "gmail", R"({"aliases":["CISO@contoso.com"]})");
  upload(other);
  const Json::List mails = t.sim("GET", "mails").value();
  EXPECT_EQ(mails.at(0)["from"].text(), "soc-bot@contoso.com");
  EXPECT_EQ(mails.at(1)["from"].text(), "ciso@contoso.com");
  EXPECT_EQ(t.sim("POST", "gmail", R"({"alias":[]})").status, 400);
}

TEST_F(Gmail, RefusesAsGoogleDoes) {
  const std::string good = token;
  token = "no";
  const Answered unknown = upload();
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(reason(unknown), "authError");
  EXPECT_EQ(unknown.json["error"]["status"].text(), "UNAUTHENTICATED");
  token = t.token("https://graph.microsoft.com");  // of another service
  EXPECT_EQ(upload().status, 401);
  token = good;
  EXPECT_EQ(t.ask("POST", "/gmail/v1/users/lead@contoso.com/messages/send", "{}", token).status, 403);
  EXPECT_EQ(t.ask("POST", "/gmail/v1/users/me/messages/send", R"({"raw":"+/=="})", token).status, 400);
  EXPECT_EQ(t.ask("POST", "/gmail/v1/users/me/messages/send", "{}", token).status, 400);
  EXPECT_EQ(upload("Subject: to nobody\r\n\r\nx").status, 400);
  EXPECT_EQ(t.ask("POST", "/upload/gmail/v1/users/me/messages/send?uploadType=media", kRaw, token).status,
            400);
  EXPECT_EQ(t.ask("GET", "/gmail/v1/users/me/messages?q=from%3Ame", "", token).status, 400);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(upload().status, 200);
  const Answered much = upload();
  EXPECT_EQ(much.status, 429);
  EXPECT_EQ(reason(much), "userRateLimitExceeded");
  EXPECT_EQ(much.json["error"]["errors"].items().at(0)["domain"].text(), "usageLimits");
  t.pass_seconds(61);
  EXPECT_EQ(upload().status, 200);
  t.pass_seconds(3600);
  EXPECT_EQ(upload().status, 401);  // the token is over
}

TEST_F(Gmail, ChecksRefreshTokens) {
  const std::string client = "grant_type=refresh_token&client_id=sim-client.apps.googleusercontent.com&";
  EXPECT_EQ(sign_in(client + "client_secret=wrong&refresh_token=1%2F%2Fsim-refresh").json["error"].text(),
            "invalid_client");
  EXPECT_EQ(sign_in(client + "client_secret=sim-secret&refresh_token=old").json["error"].text(),
            "invalid_grant");
  EXPECT_EQ(sign_in("grant_type=password").json["error"].text(), "unsupported_grant_type");
}

// ---- Azure Communication Services

constexpr const char* kKey =
    "c2ltLWFjY2Vzcy1rZXktb2YtdGhlLXByZXRlbmQtdGVuYW50LXdoaWNoLWlzLW5vLXNlY3JldC1hdC1hbGwh";
const std::string kEmail =
    R"({"senderAddress":"soc@contoso.com","content":{"subject":"Isolated","plainText":"x"},
        "recipients":{"to":[{"address":"lead@contoso.com"}],"cc":null}})";
const std::string kSend = "/emails:send?api-version=2023-03-31";
const std::string kOperation = "7c1e0f8a-1111-4222-8333-0123456789ab";
const std::string kState = "/emails/operations/" + kOperation + "?api-version=2023-03-31";

struct Acs : testing::Test {
  TestTenant t;

  struct Twist {
    std::string key = kKey, body, id = kOperation;
    std::int64_t late_us = 0;
  };
  // As `twist` differs from what was signed.
  Answered ask(const std::string& method, const std::string& target, const std::string& body) {
    return ask(method, target, body, Twist());
  }
  Answered ask(const std::string& method, const std::string& target, const std::string& body,
               const Twist& twist) {
    const auto made = azure_signature({.method = method,
                                       .target = target,
                                       .host = "127.0.0.1:8123",
                                       .body = body,
                                       .now_us = t.clock.now - twist.late_us},
                                      twist.key);
    HttpQuestion question{method,
                          target,
                          {{"Host", "127.0.0.1:8123"},
                           {"x-ms-date", made->date},
                           {"x-ms-content-sha256", made->content_hash},
                           {"Authorization", made->authorization},
                           {"Content-Type", "application/json"}},
                          twist.body.empty() ? body : twist.body};
    if (method == "POST" && !twist.id.empty()) question.headers.emplace_back("Operation-Id", twist.id);
    Answered answered;
    answered.whole = t.tenant.handle(question);
    answered.status = answered.whole.status;
    if (auto json = parse_json(answered.whole.body)) answered.json = std::move(*json);
    return answered;
  }
};

TEST_F(Acs, AcceptsThenSucceeds) {
  const Answered sent = ask("POST", kSend, kEmail);
  ASSERT_EQ(sent.status, 202) << sent.whole.body;
  EXPECT_EQ(sent.json.to_text(), R"({"id":")" + kOperation + R"(","status":"Running","error":null})");
  EXPECT_EQ(sent.whole.header("Operation-Location"), "http://127.0.0.1:8123" + kState);
  EXPECT_EQ(sent.whole.header("retry-after"), "30");
  EXPECT_EQ(ask("GET", kState, "").json["status"].text(), "Running");
  EXPECT_TRUE(t.sim("GET", "mails").value().empty());
  t.pass_seconds(3);
  EXPECT_EQ(ask("GET", kState, "").json["status"].text(), "Succeeded");
  const Json::List mails = t.sim("GET", "mails").value();
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0]["via"].text(), "acs");
  EXPECT_EQ(mails[0]["to"].to_text(), R"(["lead@contoso.com"])");
  EXPECT_EQ(t.sim("GET", "acs").value().size(), 1u);
}

TEST_F(Acs, CarriesAnOperationOutOnce) {
  EXPECT_EQ(ask("POST", kSend, kEmail).status, 202);
  EXPECT_EQ(ask("POST", kSend, kEmail).status, 202);
  t.pass_seconds(3);
  EXPECT_EQ(ask("POST", kSend, kEmail).json["status"].text(), "Succeeded");
  EXPECT_EQ(t.sim("GET", "mails").value().size(), 1u);
  EXPECT_EQ(ask("POST", kSend, kEmail, {.body = {}, .id = ""}).status, 202);
  EXPECT_EQ(ask("POST", kSend, kEmail, {.body = {}, .id = "one"}).status, 400);
}

TEST_F(Acs, FailsAsIsAskedFor) {
  t.sim("POST", "acs",
        R"({"status":"Failed","code":"EmailDroppedAllRecipientsSuppressed","message":"no","seconds":60})");
  ask("POST", kSend, kEmail);
  t.pass_seconds(30);
  EXPECT_EQ(ask("GET", kState, "").json["status"].text(), "Running");
  t.pass_seconds(31);
  const Json failed = ask("GET", kState, "").json;
  EXPECT_EQ(failed["status"].text(), "Failed");
  EXPECT_EQ(failed["error"]["code"].text(), "EmailDroppedAllRecipientsSuppressed");
  EXPECT_TRUE(t.sim("GET", "mails").value().empty());
  EXPECT_EQ(t.sim("POST", "acs", R"({"status":"Lost"})").status, 400);
  EXPECT_EQ(t.sim("POST", "acs", R"({"state":"Failed"})").status, 400);
}

TEST_F(Acs, ChecksTheSignature) {
  EXPECT_EQ(t.ask("POST", kSend, kEmail).status, 401);
  EXPECT_EQ(ask("POST", kSend, kEmail, {.key = "AAAA", .body = {}}).code(), "Denied");
  EXPECT_THAT(ask("POST", kSend, kEmail, {.body = kEmail + " "}).message(), HasSubstr("x-ms-content-sha256"));
  EXPECT_THAT(ask("POST", kSend, kEmail, {.body = {}, .late_us = 1'000'000'000}).message(),
              HasSubstr("x-ms-date"));
  EXPECT_THAT(ask("POST", kSend, kEmail, {.body = {}, .late_us = -1'000'000'000}).message(),
              HasSubstr("x-ms-date"));
  // A token of the tenant serves as well; one for another resource does not.
  EXPECT_EQ(t.ask("POST", kSend, kEmail, t.token("https://communication.azure.com")).status, 202);
  EXPECT_EQ(t.ask("POST", kSend, kEmail, t.token("https://graph.microsoft.com")).status, 401);
}

TEST_F(Acs, ChecksTheMailAndTheQuota) {
  for (
      const char* body :
      {"[]", "{}",
       R"({"senderAddress":"a@b.c","content":{"subject":"x"},"recipients":{"to":[{"address":"a@b.c"}]}})",
       R"({"senderAddress":"a@b.c","content":{"subject":"x","html":"x"},"recipients":{"to":[]}})",
       R"({"senderAddress":"a@b.c","content":{"subject":"x","html":"x"},"recipients":{"to":[{"address":"a"}]}})",
       R"({"senderAddress":"a@b.c","content":{"subject":"x","html":"x"},"recipients":{"to":[{"address":"a@b.c"}]},"priority":1})"})
    EXPECT_EQ(ask("POST", kSend, body).status, 400) << body;
  EXPECT_EQ(ask("POST", "/emails:send", kEmail).status, 400);
  EXPECT_EQ(ask("GET", kState, "").status, 404);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(ask("POST", kSend, kEmail, {.body = {}, .id = ""}).status, 202);
  const Answered much = ask("POST", kSend, kEmail, {.body = {}, .id = ""});
  EXPECT_EQ(much.status, 429);
  EXPECT_FALSE(much.whole.header("Retry-After").empty());
}

}  // namespace
}  // namespace flow::sim
