// flow-docgen FOLDER: writes the pages of docs/generated/ there.
#include <cstdio>
#include <string>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/docgen/pages.hpp"

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::fputs("usage: flow-docgen FOLDER, as docs/generated\n", stderr);
    return flow::kUsage;
  }
  for (const flow::GeneratedPage& page : flow::generated_pages(flow::standard_library())) {
    const flow::Status written = flow::write_file(std::string(argv[1]) + "/" + page.file, page.text);
    if (!written) return flow::complain(written.error().message), flow::kWorldWrong;
  }
  return flow::kSuccess;
}
