// `--param name=value` of commands that take several files.
#include "apps/cli/params.hpp"

#include <gtest/gtest.h>

#include "apps/library/standard_library.hpp"
#include "compiler/compile.hpp"

namespace flow::test {
namespace {

Module with_params() {
  Compilation compilation =
      compile({"x.flow",
               "param soc: Email\nparam most: Int = 3\nparam pause: Duration?\n"
               "param hosts: List<String> = []\nsecret key\n"
               "on alert.new do mail(soc, \"{most} {pause} {hosts.length()}\", title)\n"},
              standard_library());
  return std::move(*compilation.module);
}

// What the module makes of them, as `name=json`, or the failure.
std::string taken(const std::vector<std::string>& given) {
  auto params = GivenParams::read(given);
  if (!params) return params.error().message;
  const auto values = params->of(with_params());
  if (!values) return values.error().message;
  if (const auto known = params->check_all_known(); !known) return known.error().message;
  std::string text;
  for (const auto& [name, json] : *values) text += (text.empty() ? "" : " ") + name + "=" + json;
  return text;
}

TEST(GivenParams, AreWrittenAsInAShell) {
  EXPECT_EQ(taken({}), "");
  EXPECT_EQ(taken({"soc=a@b.zz", "most=7", "pause=5m", "key=vault/key"}),
            R"(key="vault/key" most=7 pause="5m" soc="a@b.zz")");
  EXPECT_EQ(taken({R"(hosts=["a=b","c"])"}), R"(hosts=["a=b","c"])");
}

TEST(GivenParams, WhatIsWrongIsNamed) {
  EXPECT_EQ(taken({"most"}), "`--param most`: write `--param name=value`");
  EXPECT_EQ(taken({"=3"}), "`--param =3`: write `--param name=value`");
  EXPECT_EQ(taken({"most=1", "most=2"}), "`--param most` is given twice");
  EXPECT_EQ(taken({"most=many"}), "`--param most`: expected Int, found text");
  EXPECT_EQ(taken({"soc=nobody"}),
            "`--param soc`: the value is \"nobody\", which is no Email: it has no `@`");
  EXPECT_EQ(taken({"mosst=1"}), "`--param mosst`: there is no such parameter; did you mean `most`?");
  EXPECT_EQ(taken({"x=1"}),
            "`--param x`: there is no such parameter; declared are hosts, key, most, pause, soc");
}

}  // namespace
}  // namespace flow::test
