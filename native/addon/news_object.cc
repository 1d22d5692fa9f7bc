#include "news_object.h"

#include <cstring>

namespace episcope {
namespace {

Napi::Value words_of(Napi::Env env, const Reading& frame) {
  Napi::BigUint64Array words = Napi::BigUint64Array::New(env, kFrameWords);
  // Null if the worker is being terminated.
  if (words.Data() != nullptr) std::memcpy(words.Data(), frame.words, sizeof frame.words);
  return words;
}

}  // namespace

// A seq fits a number: no ring lives long enough for 2^53 frames.
Napi::Object to_object(Napi::Env env, const News::SourceChange& change) {
  return object_of(env, "seq", static_cast<double>(change.seq), "meta", change.meta);
}

Napi::Object to_object(Napi::Env env, const Trip& trip) {
  return object_of(env, "index", trip.index, "value", trip.value, "seq",
                   static_cast<double>(trip.seq));
}

Napi::Object to_object(Napi::Env env, const BudgetTrip& trip) {
  return object_of(env, "resource", trip.resource, "limit", trip.limit, "consumed", trip.consumed,
                   "seq", static_cast<double>(trip.seq));
}

Napi::Object to_object(Napi::Env env, const Exhaustion& exhaustion) {
  Napi::Object object = to_object(env, static_cast<const BudgetTrip&>(exhaustion));
  set_fields(object, "tsNs", exhaustion.ts_ns, "lateNs", exhaustion.late_ns);
  return object;
}

Napi::Object to_object(Napi::Env env, const FailedAction& failed) {
  return object_of(env, "action", failed.action, "errno", unless_zero(failed.error_number), "next",
                   failed.next);
}

Napi::Object to_object(Napi::Env env, const News::Reply& reply) {
  return object_of(env, "request", reply.request, "words", words_of(env, reply.frame));
}

Napi::Object to_object(Napi::Env env, const News& news) {
  return object_of(env, "frames", news.frames, "sources", news.sources, "warnings", news.warnings,
                   "trips", news.trips, "budgetTrips", news.budget_trips, "exhausted",
                   news.exhausted, "failedActions", news.failed_actions, "replies", news.replies,
                   "exited", news.ended ? std::optional(news.exited) : std::nullopt);
}

}  // namespace episcope
