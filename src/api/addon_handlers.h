// The handlers of add-ons, by the file they live in, as handlers.h has the others.
#pragma once

#include "api/call.h"

namespace renga::api {

// addon_services.cpp
Result<Answer> addon_service_list(Call& call);
Result<Answer> addon_service_info(Call& call);
Result<Answer> addon_service_register(Call& call);
Result<Answer> addon_service_manifest(Call& call);
Result<Answer> addon_service_delete(Call& call);
Result<Answer> plan_list(Call& call);
Result<Answer> plan_info(Call& call);
Result<Answer> plan_info_of_service(Call& call);

// addons.cpp
Result<Answer> addon_list(Call& call);
Result<Answer> addon_list_of_user(Call& call);
Result<Answer> addon_list_of_app(Call& call);
Result<Answer> addon_info(Call& call);
Result<Answer> addon_info_of_app(Call& call);
Result<Answer> addon_create(Call& call);
Result<Answer> addon_update(Call& call);
Result<Answer> addon_delete(Call& call);
Result<Answer> addon_resolve(Call& call);

// addon_undelete.cpp
Result<Answer> destroyed_addon_list(Call& call);
Result<Answer> addon_undelete(Call& call);

// addon_attachments.cpp
Result<Answer> attachment_list(Call& call);
Result<Answer> attachment_list_of_addon(Call& call);
Result<Answer> attachment_list_of_app(Call& call);
Result<Answer> attachment_info(Call& call);
Result<Answer> attachment_info_of_app(Call& call);
Result<Answer> attachment_create(Call& call);
Result<Answer> attachment_delete(Call& call);
Result<Answer> attachment_resolve(Call& call);

// addon_partner.cpp
Result<Answer> addon_config_list(Call& call);
Result<Answer> addon_config_update(Call& call);
Result<Answer> addon_action_provision(Call& call);
Result<Answer> addon_action_deprovision(Call& call);
Result<Answer> provider_token_create(Call& call);

// addon_log_input.cpp
Result<Answer> addon_log_input(Call& call);

// addon_log_drains.cpp
Result<Answer> addon_log_drain_list(Call& call);
Result<Answer> addon_log_drain_create(Call& call);
Result<Answer> addon_log_drain_info(Call& call);
Result<Answer> addon_log_drain_update(Call& call);
Result<Answer> addon_log_drain_delete(Call& call);

// addon_data.cpp
Result<Answer> addon_data(Call& call);
Result<Answer> addon_data_of_app(Call& call);

// addon_downloads.cpp
Result<Answer> addon_download(Call& call);

// addon_sign_on.cpp
Result<Answer> addon_sign_on(Call& call);
Result<Answer> addon_sign_on_page(Call& call);
Result<Answer> addon_sign_on_change(Call& call);

}  // namespace renga::api
