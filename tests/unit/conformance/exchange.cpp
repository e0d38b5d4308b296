#include "tests/unit/conformance/exchange.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace flow::test {
namespace {

namespace fs = std::filesystem;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\r' ? std::string("\\r") : std::string(1, c);
  return out;
}

// Each line of `text` behind `mark`.
std::string marked(const std::string& text, const std::string& mark) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += mark + (line.empty() ? "" : " ") + line + "\n";
  return out;
}

std::string response_text(const HttpResponse& response) {
  std::string out = std::to_string(response.status) + "\n";
  for (const auto& [name, value] : response.headers) out += name + ": " + value + "\n";
  return out + response.body;
}

// A status, headers up to the first line that is none, a body.
HttpResponse response_of(const std::string& text) {
  std::istringstream lines(text);
  HttpResponse response;
  std::string line;
  std::getline(lines, line);
  response.status = std::atoi(line.c_str());
  bool is_head = true;
  while (std::getline(lines, line)) {
    const std::size_t colon = line.find(": ");
    is_head = is_head && colon != std::string::npos && line[0] >= 'A' && line[0] <= 'Z';
    if (is_head)
      response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    else
      response.body += (response.body.empty() ? "" : "\n") + line;
  }
  return response;
}

}  // namespace

std::string request_text(const HttpRequest& request) {
  std::string out = request.method + " " + request.url + "\n";
  for (const auto& [name, value] : request.headers) out += name + ": " + value + "\n";
  if (!request.body.empty()) out += "\n" + request.body;
  return escaped(out);
}

Exchange read_exchange(const fs::path& file) {
  std::ifstream in(file);
  Exchange exchange;
  std::string block;
  char mark = ' ';
  const auto end_block = [&] {
    if (mark == '>') exchange.requests.push_back(block);
    if (mark == '<') exchange.responses.push_back(response_of(block));
    if (mark == '=' || mark == '!') exchange.value = block;
    block.clear();
    mark = ' ';
  };
  for (std::string line; std::getline(in, line);) {
    const char first = line.empty() ? ' ' : line[0];
    if (line.starts_with("operation ")) {
      exchange.operation = line.substr(10);
    } else if (first == '{') {
      exchange.arguments = line;
    } else if (first == '>' || first == '<' || first == '=' || first == '!') {
      if (mark != ' ' && mark != first) end_block();
      mark = first;
      if (first == '!') line.insert(1, "! ");
      block += (block.empty() ? "" : "\n") + (line.size() > 2 ? line.substr(2) : std::string());
    } else {
      end_block();
    }
  }
  end_block();
  return exchange;
}

std::string exchange_text(const Exchange& exchange) {
  std::string out = "operation " + exchange.operation + "\n" + exchange.arguments + "\n";
  for (std::size_t i = 0; i < std::max(exchange.requests.size(), exchange.responses.size()); ++i) {
    if (i < exchange.requests.size()) out += "\n" + marked(exchange.requests[i], ">");
    if (i < exchange.responses.size()) out += "\n" + marked(response_text(exchange.responses[i]), "<");
  }
  const bool is_error = exchange.value.starts_with("! ");
  return out + "\n" + (is_error ? exchange.value + "\n" : marked(exchange.value, "="));
}

std::vector<fs::path> exchange_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(FLOW_SOURCE_DIR) / "tests/conformance"))
    if (entry.path().extension() == ".exchange") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace flow::test
