// Lists that come in pages, by the executor: one call, several requests, one list.
#include <gtest/gtest.h>

#include "stdlib/executor/executor.hpp"
#include "stdlib/json/json.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;

struct Paged : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource tokens{transport, clock};
  OperationExecutor executor{transport, tokens, clock};
  Module module;

  void SetUp() override {
    executor.configure("contoso", {.tenant_id = "contoso", .client_id = "client", .client_secret = [] {
                                     return Result<std::string>("client-secret");
                                   }});
    transport.tokens = {token_answer("token-one"), token_answer("token-two")};
    module.connectors = {{.name = "api",
                          .base = "https://api.example",
                          .auth = {.kind = Auth::Kind::Entra, .scope = "scope"}}};
    const Route route{.method = "GET",
                      .path = {.kind = Kind::Text, .text = "/list"},
                      .query = {{"$top", {.kind = Kind::Int, .number = 2}}}};
    module.operations = {{.connector = "api",
                          .name = "list",
                          .effect = Effect::Read,
                          .result = module.types.list(kJsonType),
                          .result_member = "value",
                          .routes = {route}}};
  }
  int asked_again = 0;
  Paging& pages() { return module.operations[0].routes[0].pages; }
  Outcome perform() {
    Outcome got = Fault{.message = "not called"};
    executor.perform({.tenant = "contoso",
                      .module = &module,
                      .operation = 0,
                      .arguments = "{}",
                      .key = "k",
                      .asks_again = [this] { ++asked_again; }},
                     [&](Outcome outcome) { got = std::move(outcome); });
    return got;
  }
  std::string result() {
    const Outcome outcome = perform();
    const auto* returned = std::get_if<Returned>(&outcome);
    return returned != nullptr ? returned->json : std::get<Fault>(outcome).message;
  }
  Fault fault() {
    const Outcome outcome = perform();
    const auto* found = std::get_if<Fault>(&outcome);
    return found != nullptr ? *found : Fault{.kind = FaultKind::Failed, .message = "no fault"};
  }
  static HttpResponse page(const std::string& elements, const std::string& link = {}) {
    return response(200, "{\"value\":[" + elements + "]" +
                             (link.empty() ? "" : ",\"@odata.nextLink\":\"" + link + "\"") + "}");
  }
};

TEST_F(Paged, ByLinksBecomeOneList) {
  pages() = {.kind = Paging::Kind::Link, .name = "@odata.nextLink", .limit = 5};
  transport.answers = {page("1,2", "https://api.example/list?$skiptoken=a b"),
                       page("", "https://api.example/more"), page("3")};
  EXPECT_EQ(result(), "[1,2,3]");
  ASSERT_EQ(transport.requests.size(), 3u);
  EXPECT_EQ(transport.requests[1].url, "https://api.example/list?$skiptoken=a%20b");
  EXPECT_EQ(transport.requests[2].url, "https://api.example/more");
  for (const HttpRequest& sent : transport.requests)
    EXPECT_EQ(HttpResponse{.headers = sent.headers}.header("Authorization"), "Bearer token-one");
  EXPECT_EQ(asked_again, 2) << "each page behind the first takes its part of the quota";
}

TEST_F(Paged, NoCredentialFollowsALinkElsewhere) {
  for (const char* const link : {"https://evil.example/list", "http://api.example/list",
                                 "https://api.example:8443/list", "https://api.example@evil.example/list",
                                 "//evil.example/list", "nonsense", "https://api.example.evil.example/"}) {
    pages() = {.kind = Paging::Kind::Link, .name = "@odata.nextLink", .limit = 5};
    transport.requests.clear();
    transport.answers = {page("1", link), page("2")};
    EXPECT_EQ(fault().kind, FaultKind::InvalidResponse) << link;
    EXPECT_EQ(transport.requests.size(), 1u) << link;
  }
}

TEST_F(Paged, MoreThanTheLimitIsAnErrorAndNoPart) {
  pages() = {.kind = Paging::Kind::Link, .name = "@odata.nextLink", .limit = 2};
  transport.answers = {page("1", "https://api.example/list")};  // for ever
  const Fault failed = fault();
  EXPECT_EQ(failed.kind, FaultKind::TooLarge);
  EXPECT_NE(failed.message.find("more than the 2 pages"), std::string::npos) << failed.message;
  EXPECT_EQ(transport.requests.size(), 2u);
}

TEST_F(Paged, BySkippingEndWithAPageThatIsNotFull) {
  pages() = {.kind = Paging::Kind::Skip, .name = "$skip", .page_size = 2, .limit = 5};
  transport.answers = {page("1,2"), page("3,4"), page("5")};
  EXPECT_EQ(result(), "[1,2,3,4,5]");
  ASSERT_EQ(transport.requests.size(), 3u);
  EXPECT_EQ(transport.requests[0].url, "https://api.example/list?$top=2");
  EXPECT_EQ(transport.requests[1].url, "https://api.example/list?$top=2&$skip=2");
  EXPECT_EQ(transport.requests[2].url, "https://api.example/list?$top=2&$skip=4");
}

TEST_F(Paged, AFullLastPageCostsOneRequestMore) {
  pages() = {.kind = Paging::Kind::Skip, .name = "$skip", .page_size = 2, .limit = 5};
  transport.answers = {page("1,2"), page("")};
  EXPECT_EQ(result(), "[1,2]");
}

TEST_F(Paged, AnErrorOfAnyPageIsTheErrorOfTheCall) {
  pages() = {.kind = Paging::Kind::Link, .name = "@odata.nextLink", .limit = 5};
  transport.answers = {page("1", "https://api.example/more"), response(429, "", {{"Retry-After", "8"}})};
  const Fault failed = fault();
  EXPECT_EQ(failed.kind, FaultKind::Throttled);
  EXPECT_EQ(failed.retry_after_us, 8 * kSecondUs);
}

TEST_F(Paged, ATokenThatEndsBetweenPagesIsReplaced) {
  pages() = {.kind = Paging::Kind::Link, .name = "@odata.nextLink", .limit = 5};
  transport.answers = {page("1", "https://api.example/more"), response(401, ""), page("2")};
  EXPECT_EQ(result(), "[1,2]");
  ASSERT_EQ(transport.requests.size(), 3u);
  EXPECT_EQ(transport.requests[2].url, "https://api.example/more");
  EXPECT_EQ(HttpResponse{.headers = transport.requests[2].headers}.header("Authorization"),
            "Bearer token-two");
}

TEST_F(Paged, ResultsStandWhereTheyAre) {
  Operation& operation = module.operations[0];
  operation.result = kJsonType;
  operation.result_member = "value/0/name";
  operation.result_members_else = {"other", ""};
  for (const auto& [body, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"value":[{"name":"a"}]})", "\"a\""},
           {R"({"value":[],"other":2})", "2"},
           {R"({"value":{"0":{"name":"b"}}})", "\"b\""},
           {R"({"x":1})", "{\"x\":1}"},
           {R"([7])", "[7]"}}) {
    transport.answers = {response(200, body)};
    EXPECT_EQ(result(), expected) << body;
  }
}

TEST_F(Paged, LinksLoseTheQuotesAroundThem) {
  Operation& operation = module.operations[0];
  operation.result = kUrlType;
  transport.answers = {response(200, R"({"value":"\"https://x.example/a?b=c\""})")};
  EXPECT_EQ(result(), "\"https://x.example/a?b=c\"");
  transport.answers = {response(200, R"({"value":"https://x.example/a"})")};
  EXPECT_EQ(result(), "\"https://x.example/a\"");
}

TEST_F(Paged, ABareNumberIsAResult) {
  module.operations[0].result = kIntType;
  module.operations[0].result_member = "";
  transport.answers = {response(200,
                                "\xef\xbb\xbf"
                                "42")};
  EXPECT_EQ(result(), "42");
}

}  // namespace
}  // namespace flow
