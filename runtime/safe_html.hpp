// Html of others, made fit to stand in a page or a mail of ours: what lays text out stays, everything that
// could run, load, send or cover something goes.
#pragma once

#include <string>
#include <string_view>

namespace flow {

// Keeps paragraphs, headings, lists, tables, quotations, and links to https:, http: and mailto: addresses,
// which open without telling where from; of all other attributes none. Other tags are left out and what they
// enclose is shown as text, but for scripts, styles and the like, of which nothing is shown. Every element is
// closed, none is left to close what is around it. Whatever `html` is, the result is safe inside an element
// that holds blocks.
std::string safe_html(std::string_view html);

}  // namespace flow
