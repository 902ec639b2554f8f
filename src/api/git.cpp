// git: who may read and push, and then git itself.
#include "api/handlers.h"
#include "base/text.h"

namespace renga::api {
namespace {

Result<Answer> serve(Call& call, apps::Permission permission) {
  const auto app = TRY(call.app(permission));
  Answer answer;
  answer.whole = call.services.repositories.serve(call.request, app, call.account());
  return answer;
}

}  // namespace

Result<Answer> git_discover(Call& call) {
  const auto query = text::query(call.request.query);
  const auto service = query.find("service");
  if (service == query.end() ||
      (service->second != "git-receive-pack" && service->second != "git-upload-pack"))
    return fail(Kind::forbidden, "Only git's smart HTTP protocol is served. Update your git.");
  const bool pushes = service->second == "git-receive-pack";
  return serve(call, pushes ? apps::Permission::deploy : apps::Permission::view);
}

Result<Answer> git_receive_pack(Call& call) { return serve(call, apps::Permission::deploy); }

Result<Answer> git_upload_pack(Call& call) { return serve(call, apps::Permission::view); }

}  // namespace renga::api
