#include "kernel/watched_heap.h"

#include <cstdlib>
#include <cstring>

#include <malloc.h>

namespace courant {
namespace {

thread_local HeapWatch* watching = nullptr;

}  // namespace

void watch_heap(HeapWatch* watch) {
  watching = watch;
}

void* watched_malloc(std::size_t size) {
  if (watching == nullptr) return std::malloc(size);
  watching->begins();
  void* const block = watching->grants(size) ? std::malloc(size) : nullptr;
  if (block != nullptr) watching->took(block, ::malloc_usable_size(block));
  watching->ended();
  return block;
}

void watched_free(void* block) {
  if (watching == nullptr || block == nullptr) return std::free(block);
  watching->begins();
  watching->gave(block, ::malloc_usable_size(block));
  std::free(block);
  watching->ended();
}

void* watched_realloc(void* block, std::size_t size) {
  if (watching == nullptr) return std::realloc(block, size);
  if (block == nullptr) return watched_malloc(size);
  watching->begins();
  void* moved = nullptr;
  if (watching->grants(size)) {
    watching->gave(block, ::malloc_usable_size(block));
    moved = std::realloc(block, size);
    void* const held = moved == nullptr ? block : moved;
    watching->took(held, ::malloc_usable_size(held));
  }
  watching->ended();
  return moved;
}

char* watched_strdup(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  void* const copy = watched_malloc(size);
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, size));
}

}  // namespace courant
