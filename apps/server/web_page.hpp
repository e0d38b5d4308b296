// Pages of the service. Everything in them that comes from elsewhere is text, or Html made safe; nothing in
// them runs, nothing is loaded but their style, and nobody may frame or keep them.
#pragma once

#include <string>
#include <string_view>

#include "apps/server/http_message.hpp"

namespace flow {

// What any text becomes in a page: its characters, and nothing of HTML.
std::string escaped(std::string_view text);
// A line of a `<dl>`, and nothing where there is no value.
std::string described(std::string_view name, std::string_view value);

struct WebPage {
  int status = 200;
  std::string title;       // any text
  std::string body;        // HTML
  std::string above = {};  // HTML before the title
  std::string style_path = "../style.css";
  bool is_wide = false;
};
HttpAnswer web_page(const WebPage& page);
HttpAnswer page_style();

}  // namespace flow
