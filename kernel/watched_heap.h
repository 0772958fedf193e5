// Functions for memory that a library can be given in place of malloc's (xmlMemSetup), and a thread can watch what it
// is given by them. Blocks are malloc's: one that was had before a watch began may be freed in it, and the other way
// round.
// Threads: any; a watch belongs to the thread that began it, one at a time.
#pragma once

#include <cstddef>

namespace courant {

class HeapWatch {
 public:
  // Before each call, and after it; what comes in between has begun and ended. `ended` need not return.
  virtual void begins() {}
  virtual void ended() {}
  // Whether there is so much; false: the caller gets none.
  virtual bool grants(std::size_t) { return true; }
  // A block that was given, or is given back, with its real length.
  virtual void took(void* block, std::size_t bytes) = 0;
  virtual void gave(void* block, std::size_t bytes) = 0;

 protected:
  ~HeapWatch() = default;
};

// Null: nobody watches this thread.
void watch_heap(HeapWatch* watch);

void* watched_malloc(std::size_t size);
void watched_free(void* block);
void* watched_realloc(void* block, std::size_t size);
char* watched_strdup(const char* text);

}  // namespace courant
