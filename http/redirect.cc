#include "http/redirect.h"

#include <memory>

#include <curl/curl.h>

namespace courant::http {

std::string redirect_target(const std::string& url, const std::string& location) {
  struct Closing {
    void operator()(CURLU* parts) const { curl_url_cleanup(parts); }
    void operator()(char* text) const { curl_free(text); }
  };
  const std::unique_ptr<CURLU, Closing> parts(curl_url());
  char* text = nullptr;
  if (!parts || curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK ||
      curl_url_set(parts.get(), CURLUPART_URL, location.c_str(), CURLU_URLENCODE) != CURLUE_OK ||
      curl_url_get(parts.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return {};
  }
  return std::unique_ptr<char, Closing>(text).get();
}

}  // namespace courant::http
