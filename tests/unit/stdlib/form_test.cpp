#include "stdlib/executor/form.hpp"

#include <gtest/gtest.h>

namespace flow {
namespace {

JsonValue fields(const char* json) {
  return parse_json(json).value();
}

TEST(FormBody, EncodesNamesAndValues) {
  EXPECT_EQ(form_body(fields(R"({"grant type":"a&b=c","n":3,"on":true,"l":["x","y z"]})")),
            "grant%20type=a%26b%3Dc&n=3&on=true&l=x&l=y%20z");
  EXPECT_EQ(form_body(fields("{}")), "");
}

TEST(MultipartBody, HoldsFieldsAndFiles) {
  const auto made = multipart_body(fields(R"({"file":{"name":"a.ps1","content":"YWJj"},"Description":"x"})"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->content_type, "multipart/form-data; boundary=flow-part-0");
  EXPECT_EQ(made->body,
            "--flow-part-0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.ps1\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\nabc\r\n"
            "--flow-part-0\r\nContent-Disposition: form-data; "
            "name=\"Description\"\r\n\r\nx\r\n--flow-part-0--\r\n");
}

TEST(MultipartBody, NoPartEndsTheForm) {
  // "--flow-part-0" and "flow-part-1" within the parts.
  const auto made =
      multipart_body(fields(R"({"file":{"name":"a","content":"LS1mbG93LXBhcnQtMA=="},"x":"flow-part-1"})"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->content_type, "multipart/form-data; boundary=flow-part-2");
}

TEST(MultipartBody, NoNameEndsItsHeader) {
  const auto made = multipart_body(fields(R"({"file":{"name":"a\"\r\nX-Evil: 1","content":""}})"));
  ASSERT_TRUE(made);
  EXPECT_NE(made->body.find("filename=\"a%22%0D%0AX-Evil: 1\""), std::string::npos) << made->body;
}

TEST(MultipartBody, RefusesWhatIsNoFile) {
  for (const char* const wrong : {R"({"f":{"name":"a"}})", R"({"f":{"name":"a","content":"?"}})",
                                  R"({"f":{"name":1,"content":"YQ=="}})", R"({"f":{}})"})
    EXPECT_FALSE(multipart_body(fields(wrong))) << wrong;
}

}  // namespace
}  // namespace flow
