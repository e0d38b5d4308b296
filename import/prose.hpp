// What a document says in words, as comments of ours: without markup, in plain sentences, in lines of our
// width.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flow::importer {

// One paragraph without HTML, Markdown and control characters; long ones end behind a sentence.
std::string plain_prose(std::string_view text);

// A title and an explanation as one paragraph; the title alone where both say the same.
std::string joined_prose(std::string_view title, std::string_view explanation);

// `/// ` lines of at most `width` characters. Nothing for an empty text.
std::vector<std::string> doc_lines(std::string_view text, std::size_t width);

}  // namespace flow::importer
