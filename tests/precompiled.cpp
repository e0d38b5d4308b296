// Its target compiles the headers that all tests share: CMakeLists.txt.
