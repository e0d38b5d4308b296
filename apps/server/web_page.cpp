#include "apps/server/web_page.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr const char* kStyle =
    "body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f}"
    "dt{font-weight:bold}dd{margin:0 0 .5rem 0}main{border:1px solid #c7c7cc;border-radius:.5rem;"
    "padding:1rem 1.5rem}button{font:inherit;padding:.6rem 1.2rem}"
    "body.wide{max-width:80rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem "
    ".6rem "
    ".2rem 0;border-bottom:1px solid "
    "#e3e3e8;vertical-align:top;overflow-wrap:anywhere}.failed,.parked{color:#a40000}"
    ".void{color:#8a8a90}label{margin-right:.6rem}input,select{font:inherit}"
    ".details{border-left:3px solid #c7c7cc;padding-left:1rem;overflow-wrap:anywhere}";

}  // namespace

std::string escaped(std::string_view text) {
  return html_escaped(printable(text));
}

std::string described(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : fmt::format("<dt>{}</dt><dd>{}</dd>", name, escaped(value));
}

HttpAnswer web_page(const WebPage& page) {
  HttpAnswer answer;
  answer.status = page.status;
  answer.content_type = "text/html; charset=utf-8";
  answer.headers = {
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"X-Robots-Tag", "noindex"}};
  answer.body = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>{0}</title><link rel=\"stylesheet\" href=\"{1}\"></head>"
      "<body{2}><main>{3}<h1>{0}</h1>{4}</main></body></html>",
      escaped(page.title), page.style_path, page.is_wide ? " class=\"wide\"" : "", page.above, page.body);
  return answer;
}

HttpAnswer page_style() {
  HttpAnswer answer;
  answer.content_type = "text/css";
  answer.headers = {{"Cache-Control", "max-age=3600"}, {"X-Content-Type-Options", "nosniff"}};
  answer.body = kStyle;
  return answer;
}

}  // namespace flow
