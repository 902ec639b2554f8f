// The one list of what the control endpoint answers, in the order of Heroku's reference. A path may
// fit two rows; the first one counts.
#include "api/routes.h"

#include "api/account_handlers.h"
#include "api/addon_handlers.h"
#include "api/handlers.h"

namespace renga::api {

std::span<const RouteRow> routes() {
  using enum Needs;
  static constexpr RouteRow all[] = {
      // schema.cpp
      {"GET", "/schema", schema_info, nothing},

      // account.cpp, rate_limits.cpp, features.cpp
      {"GET", "/account", account_info, identity, Form::json, Work::quick},
      {"PATCH", "/account", account_update, everything},
      {"DELETE", "/account", account_delete, everything},
      {"GET", "/account/delinquency", account_delinquency, identity},
      {"GET", "/account/features", account_feature_list, identity},
      {"GET", "/account/features/{feature}", account_feature_info, identity},
      {"PATCH", "/account/features/{feature}", account_feature_update, everything},
      {"GET", "/account/rate-limits", rate_limit_info, identity},
      {"GET", "/accounts/{user}/actions/get-quota", account_quota, identity},
      {"GET", "/users/{user}", user_info, identity},
      {"PATCH", "/users/{user}", user_update, everything},
      {"DELETE", "/users/{user}", user_delete, everything},

      // keys.cpp, user_preferences.cpp
      {"POST", "/account/keys", key_create, everything},
      {"GET", "/account/keys", key_list, identity},
      {"GET", "/account/keys/{key}", key_info, identity},
      {"DELETE", "/account/keys/{key}", key_delete, everything},
      {"GET", "/users/{user}/preferences", user_preference_list, identity},
      {"PATCH", "/users/{user}/preferences", user_preference_update, everything},

      // people.cpp, second_factor.cpp: renga's own, but for the password resets
      {"GET", "/accounts", people_list, everything},
      {"POST", "/accounts", people_create, everything},
      {"POST", "/password-resets", password_reset_create, everything},
      {"POST", "/password-resets/{token}/actions/finalize", password_reset_finalize, nothing},
      {"POST", "/account/two-factor", second_factor_begin, everything},
      {"POST", "/account/two-factor/actions/confirm", second_factor_confirm, everything},
      {"DELETE", "/account/two-factor", second_factor_delete, everything},
      {"DELETE", "/users/{user}/two-factor", second_factor_delete_of_user, everything},

      // app_transfers.cpp
      {"POST", "/account/app-transfers", app_transfer_create, everything},
      {"GET", "/account/app-transfers", app_transfer_list, identity},
      {"GET", "/account/app-transfers/{transfer}", app_transfer_info, identity},
      {"PATCH", "/account/app-transfers/{transfer}", app_transfer_update, everything},
      {"DELETE", "/account/app-transfers/{transfer}", app_transfer_delete, everything},

      // authorizations.cpp
      {"POST", "/oauth/authorizations", authorization_create, password},
      {"GET", "/oauth/authorizations", authorization_list, everything},
      {"GET", "/oauth/authorizations/{authorization}", authorization_info, everything},
      {"PATCH", "/oauth/authorizations/{authorization}", authorization_update, everything},
      {"DELETE", "/oauth/authorizations/{authorization}", authorization_delete, everything},
      {"POST", "/oauth/authorizations/{authorization}/actions/regenerate-tokens",
       authorization_regenerate, everything},
      {"DELETE", "/oauth/sessions/{session}", session_delete, identity},
      {"POST", "/oauth/tokens", token_create, nothing},
      {"DELETE", "/oauth/tokens/{token}", token_delete, everything},

      // addon_services.cpp
      {"GET", "/addon-services", addon_service_list, identity},
      {"POST", "/addon-services", addon_service_register, everything},
      {"GET", "/addon-services/{service}", addon_service_info, identity},
      {"DELETE", "/addon-services/{service}", addon_service_delete, everything},
      {"GET", "/addon-services/{service}/manifest", addon_service_manifest, everything},
      {"GET", "/addon-services/{service}/plans", plan_list, identity},
      {"GET", "/addon-services/{service}/plans/{plan}", plan_info_of_service, identity},
      {"GET", "/plans/{plan}", plan_info, identity},

      // addons.cpp
      {"GET", "/addons", addon_list, read},
      {"GET", "/addons/{addon}", addon_info, read_or_provider},
      {"GET", "/users/{user}/addons", addon_list_of_user, read},
      {"POST", "/actions/addons/resolve", addon_resolve, read},
      {"GET", "/apps/{app}/addons", addon_list_of_app, read},
      {"POST", "/apps/{app}/addons", addon_create, write},
      {"GET", "/apps/{app}/addons/{addon}", addon_info_of_app, read},
      {"PATCH", "/apps/{app}/addons/{addon}", addon_update, write},
      {"DELETE", "/apps/{app}/addons/{addon}", addon_delete, write},

      // addon_undelete.cpp
      {"GET", "/destroyed-addons", destroyed_addon_list, read},
      {"POST", "/addons/{addon}/actions/undelete", addon_undelete, write},

      // addon_attachments.cpp
      {"GET", "/addon-attachments", attachment_list, read},
      {"POST", "/addon-attachments", attachment_create, write},
      {"GET", "/addon-attachments/{attachment}", attachment_info, read},
      {"DELETE", "/addon-attachments/{attachment}", attachment_delete, write},
      {"GET", "/addons/{addon}/addon-attachments", attachment_list_of_addon, read_or_provider},
      {"POST", "/actions/addon-attachments/resolve", attachment_resolve, read},
      {"GET", "/apps/{app}/addon-attachments", attachment_list_of_app, read},
      {"GET", "/apps/{app}/addon-attachments/{attachment}", attachment_info_of_app, read},

      // addon_partner.cpp, addon_sign_on.cpp
      {"GET", "/addons/{addon}/config", addon_config_list, read_protected_or_provider},
      {"PATCH", "/addons/{addon}/config", addon_config_update, provider},
      {"GET", "/addons/{addon}/config/{namespace}", addon_config_list, read_protected_or_provider},
      {"PATCH", "/addons/{addon}/config/{namespace}", addon_config_update, provider},
      {"POST", "/addons/{addon}/actions/provision", addon_action_provision, provider},
      {"POST", "/addons/{addon}/actions/deprovision", addon_action_deprovision, provider},
      {"POST", "/oauth/token", provider_token_create, nothing},
      {"GET", "/apps/{app}/addons/{addon}/sso", addon_sign_on, read_protected},
      {"GET", "/sso/{capability}", addon_sign_on_page, nothing, Form::stream},
      {"POST", "/sso/{capability}", addon_sign_on_change, nothing, Form::stream},

      // addon_log_drains.cpp
      {"GET", "/addons/{addon}/log-drains", addon_log_drain_list, read_or_provider},
      {"POST", "/addons/{addon}/log-drains", addon_log_drain_create, provider},
      {"GET", "/addons/{addon}/log-drains/{drain}", addon_log_drain_info, read_or_provider},
      {"PUT", "/addons/{addon}/log-drains/{drain}", addon_log_drain_update, provider},
      {"DELETE", "/addons/{addon}/log-drains/{drain}", addon_log_drain_delete, provider},

      // addon_log_input.cpp
      {"POST", "/logs", addon_log_input, nothing, Form::stream},

      // addon_data.cpp
      {"ANY", "/client/v11/databases/{addon}/{rest...}", addon_data, read_protected},
      {"ANY", "/client/v11/apps/{app}/{rest...}", addon_data_of_app, read_protected},
      {"ANY", "/postgres/v0/databases/{addon}/{rest...}", addon_data, read_protected},
      {"GET", "/data/downloads/{service}/{secret}", addon_download, nothing, Form::stream},
      {"ANY", "/redis/v0/databases/{addon}/{rest...}", addon_data, read_protected},
      {"ANY", "/data/kafka/v0/clusters/{addon}/{rest...}", addon_data, read_protected},

      // apps.cpp
      {"POST", "/apps", app_create, write},
      {"GET", "/apps", app_list, read, Form::json, Work::reads},
      {"GET", "/users/{user}/apps", app_list_of_user, read, Form::json, Work::reads},
      {"POST", "/filters/apps", app_filter, read},
      {"GET", "/apps/{app}", app_info, read, Form::json, Work::quick},
      {"PATCH", "/apps/{app}", app_update, write},
      {"DELETE", "/apps/{app}", app_delete, write},

      // app_setups.cpp
      {"POST", "/app-setups", app_setup_create, write},
      {"GET", "/app-setups/{setup}", app_setup_info, read},

      // features.cpp
      {"GET", "/apps/{app}/features", app_feature_list, read},
      {"GET", "/apps/{app}/features/{feature}", app_feature_info, read},
      {"PATCH", "/apps/{app}/features/{feature}", app_feature_update, write},

      // builds.cpp, sources.cpp
      {"POST", "/apps/{app}/builds", build_create, write},
      {"GET", "/apps/{app}/builds", build_list, read},
      {"GET", "/apps/{app}/builds/{build}", build_info, read},
      {"DELETE", "/apps/{app}/builds/{build}", build_cancel, write},
      {"DELETE", "/apps/{app}/build-cache", build_cache_delete, write},
      {"POST", "/sources", source_create, write},
      {"POST", "/apps/{app}/sources", source_create_of_app, write},
      {"PUT", "/uploads/sources/{capability}", source_upload, nothing, Form::upload},
      {"GET", "/uploads/sources/{capability}", source_download, nothing, Form::stream},

      // buildpack_installations.cpp
      {"GET", "/apps/{app}/buildpack-installations", buildpack_installation_list, read},
      {"PUT", "/apps/{app}/buildpack-installations", buildpack_installation_update, write},

      // buildpacks.cpp
      {"GET", "/buildpacks", registry_buildpack_list, nothing},
      {"GET", "/buildpacks/{buildpack}", registry_buildpack, nothing},
      {"GET", "/buildpacks/{buildpack}/revisions", registry_buildpack_revisions, nothing},
      {"GET", "/buildpacks/{buildpack}/readme", registry_buildpack_readme, nothing},

      // collaborators.cpp
      {"POST", "/apps/{app}/collaborators", collaborator_create, write},
      {"GET", "/apps/{app}/collaborators", collaborator_list, read},
      {"GET", "/apps/{app}/collaborators/{collaborator}", collaborator_info, read},
      {"PATCH", "/apps/{app}/collaborators/{collaborator}", collaborator_update, write},
      {"DELETE", "/apps/{app}/collaborators/{collaborator}", collaborator_delete, write},

      // config_vars.cpp
      {"GET", "/apps/{app}/config-vars", config_var_info, read_protected, Form::json, Work::quick},
      {"PATCH", "/apps/{app}/config-vars", config_var_update, write_protected},
      {"GET", "/apps/{app}/releases/{release}/config-vars", config_var_info_of_release,
       read_protected},

      // domains.cpp
      {"POST", "/apps/{app}/domains", domain_create, write},
      {"GET", "/apps/{app}/domains", domain_list, read},
      {"GET", "/apps/{app}/domains/{domain}", domain_info, read},
      {"PATCH", "/apps/{app}/domains/{domain}", domain_update, write},
      {"DELETE", "/apps/{app}/domains/{domain}", domain_delete, write},

      // dynos.cpp, dyno_sizes.cpp
      {"POST", "/apps/{app}/dynos", dyno_create, write_protected},
      {"GET", "/apps/{app}/dynos", dyno_list, read},
      {"DELETE", "/apps/{app}/dynos", dyno_restart_all, write},
      {"GET", "/apps/{app}/dynos/{dyno}", dyno_info, read},
      {"POST", "/apps/{app}/dynos/{dyno}", dyno_run_inside, write_protected},
      {"DELETE", "/apps/{app}/dynos/{dyno}", dyno_restart, write},
      {"POST", "/apps/{app}/dynos/{dyno}/actions/stop", dyno_stop, write},
      {"DELETE", "/apps/{app}/formations/{type}", dyno_restart_type, write},
      {"POST", "/apps/{app}/formations/{type}/actions/stop", dyno_stop_type, write},
      {"GET", "/dyno-sizes", dyno_size_list, identity},
      {"GET", "/dyno-sizes/{size}", dyno_size_info, identity},
      {"GET", "/apps/{app}/available-dyno-sizes", dyno_size_list_of_app, read},

      // formation.cpp
      {"GET", "/apps/{app}/formation", formation_list, read},
      {"PATCH", "/apps/{app}/formation", formation_batch_update, write},
      {"GET", "/apps/{app}/formation/{formation}", formation_info, read},
      {"PATCH", "/apps/{app}/formation/{formation}", formation_update, write},

      // log_drains.cpp
      {"POST", "/apps/{app}/log-drains", log_drain_create, write},
      {"GET", "/apps/{app}/log-drains", log_drain_list, read},
      {"GET", "/apps/{app}/log-drains/{drain}", log_drain_info, read},
      {"DELETE", "/apps/{app}/log-drains/{drain}", log_drain_delete, write},

      // dyno_metrics.cpp
      {"GET", "/apps/{app}/dyno-metrics", dyno_metrics, read},

      // router_metrics.cpp
      {"GET", "/apps/{app}/router-metrics", router_metrics, read},

      // log_sessions.cpp, streams.cpp
      {"POST", "/apps/{app}/log-sessions", log_session_create, read_protected},
      {"GET", "/streams/{stream}", output_stream_open, nothing, Form::stream},
      {"GET", "/log-sessions/{session}", log_session_open, nothing, Form::stream},

      // pipelines.cpp, pipeline_couplings.cpp, pipeline_promotions.cpp
      {"POST", "/pipelines", pipeline_create, write},
      {"GET", "/pipelines", pipeline_list, read},
      {"GET", "/pipelines/{pipeline}", pipeline_info, read},
      {"PATCH", "/pipelines/{pipeline}", pipeline_update, write},
      {"DELETE", "/pipelines/{pipeline}", pipeline_delete, write},
      {"POST", "/pipeline-transfers", pipeline_transfer_create, write},
      {"GET", "/pipelines/{pipeline}/pipeline-stack", pipeline_stack_info, read},
      {"GET", "/pipelines/{pipeline}/stage/{stage}/config-vars", pipeline_config_var_info,
       read_protected},
      {"PATCH", "/pipelines/{pipeline}/stage/{stage}/config-vars", pipeline_config_var_update,
       write_protected},
      {"POST", "/pipeline-couplings", pipeline_coupling_create, write},
      {"GET", "/pipeline-couplings", pipeline_coupling_list, read},
      {"GET", "/users/{user}/pipeline-couplings", pipeline_coupling_list_of_user, read},
      {"GET", "/pipelines/{pipeline}/pipeline-couplings", pipeline_coupling_list_of_pipeline, read},
      {"GET", "/pipeline-couplings/{coupling}", pipeline_coupling_info, read},
      {"PATCH", "/pipeline-couplings/{coupling}", pipeline_coupling_update, write},
      {"DELETE", "/pipeline-couplings/{coupling}", pipeline_coupling_delete, write},
      {"GET", "/apps/{app}/pipeline-couplings", pipeline_coupling_info_of_app, read},
      {"POST", "/pipeline-promotions", pipeline_promotion_create, write},
      {"GET", "/pipeline-promotions/{promotion}", pipeline_promotion_info, read},
      {"GET", "/pipeline-promotions/{promotion}/promotion-targets", pipeline_promotion_target_list,
       read},
      {"GET", "/pipelines/{pipeline}/latest-releases", pipeline_release_list, read},
      {"GET", "/pipelines/{pipeline}/latest-deployments", pipeline_deployment_list, read},
      {"GET", "/pipelines/{pipeline}/latest-builds", pipeline_build_list, read},

      // regions.cpp, stacks.cpp
      {"GET", "/regions", region_list, identity},
      {"GET", "/regions/{region}", region_info, identity},
      {"GET", "/stacks", stack_list, identity},
      {"GET", "/stacks/{stack}", stack_info, identity},
      {"GET", "/apps/{app}/available-stacks", stack_list_of_app, read},
      {"GET", "/generations", generation_list, identity},
      {"GET", "/generations/{generation}", generation_info, identity},

      // releases.cpp, slugs.cpp
      {"POST", "/apps/{app}/releases", release_create, write},
      {"GET", "/apps/{app}/releases", release_list, read, Form::json, Work::reads},
      {"GET", "/apps/{app}/releases/{release}", release_info, read, Form::json, Work::reads},
      {"POST", "/apps/{app}/slugs", slug_create, write},
      {"GET", "/apps/{app}/slugs/{slug}", slug_info, read},
      {"PUT", "/uploads/slugs/{capability}", slug_upload, nothing, Form::upload},
      {"GET", "/uploads/slugs/{capability}", slug_download, nothing, Form::stream},

      // sni_endpoints.cpp
      {"POST", "/apps/{app}/sni-endpoints", sni_endpoint_create, write},
      {"GET", "/apps/{app}/sni-endpoints", sni_endpoint_list, read},
      {"GET", "/apps/{app}/sni-endpoints/{endpoint}", sni_endpoint_info, read},
      {"PATCH", "/apps/{app}/sni-endpoints/{endpoint}", sni_endpoint_update, write},
      {"DELETE", "/apps/{app}/sni-endpoints/{endpoint}", sni_endpoint_delete, write},

      // scheduled_jobs.cpp: renga's own
      {"POST", "/apps/{app}/scheduled-jobs", scheduled_job_create, write_protected},
      {"GET", "/apps/{app}/scheduled-jobs", scheduled_job_list, read},
      {"GET", "/apps/{app}/scheduled-jobs/{job}", scheduled_job_info, read},
      {"PATCH", "/apps/{app}/scheduled-jobs/{job}", scheduled_job_update, write_protected},
      {"DELETE", "/apps/{app}/scheduled-jobs/{job}", scheduled_job_delete, write},
      {"POST", "/apps/{app}/scheduled-jobs/{job}/runs", scheduled_run_create, write_protected},
      {"GET", "/apps/{app}/scheduled-jobs/{job}/runs", scheduled_run_list, read_protected},
      {"GET", "/apps/{app}/scheduled-jobs/{job}/runs/{run}", scheduled_run_info, read_protected},

      // webhooks.cpp
      {"POST", "/apps/{app}/webhooks", webhook_create, write},
      {"GET", "/apps/{app}/webhooks", webhook_list, read},
      {"GET", "/apps/{app}/webhooks/{webhook}", webhook_info, read},
      {"PATCH", "/apps/{app}/webhooks/{webhook}", webhook_update, write},
      {"DELETE", "/apps/{app}/webhooks/{webhook}", webhook_delete, write},
      {"GET", "/apps/{app}/webhook-deliveries", webhook_delivery_list, read},
      {"GET", "/apps/{app}/webhook-deliveries/{delivery}", webhook_delivery_info, read},
      {"GET", "/apps/{app}/webhook-events", webhook_event_list, read},
      {"GET", "/apps/{app}/webhook-events/{event}", webhook_event_info, read},
      {"POST", "/addons/{addon}/webhooks", webhook_create, provider},
      {"GET", "/addons/{addon}/webhooks", webhook_list, provider},
      {"GET", "/addons/{addon}/webhooks/{webhook}", webhook_info, provider},
      {"PATCH", "/addons/{addon}/webhooks/{webhook}", webhook_update, provider},
      {"DELETE", "/addons/{addon}/webhooks/{webhook}", webhook_delete, provider},
      {"GET", "/addons/{addon}/webhook-deliveries", webhook_delivery_list, provider},
      {"GET", "/addons/{addon}/webhook-deliveries/{delivery}", webhook_delivery_info, provider},
      {"GET", "/addons/{addon}/webhook-events", webhook_event_list, provider},
      {"GET", "/addons/{addon}/webhook-events/{event}", webhook_event_info, provider},

      // git.cpp
      {"GET", "/{app}.git/info/refs", git_discover, read, Form::git},
      {"POST", "/{app}.git/git-receive-pack", git_receive_pack, write, Form::git},
      {"POST", "/{app}.git/git-upload-pack", git_upload_pack, read, Form::git},

      // empty_lists.cpp: what this server does not have, as the clients that ask for it expect to
      // hear it
      {"GET", "/oauth/sessions", no_things, identity},
      {"GET", "/oauth/clients", no_things, identity},
      {"POST", "/oauth/clients", not_offered, everything},
      {"ANY", "/oauth/clients/{rest...}", no_such_thing, identity},

      {"GET", "/apps/{app}/telemetry-drains", no_things_of_app, read},
      {"POST", "/telemetry-drains", not_offered, write},
      {"ANY", "/telemetry-drains/{rest...}", no_such_thing, read},
      {"ANY", "/apps/{app}/acm", not_offered_of_app, write},
      {"PUT", "/apps/{app}/pre-authorizations", not_offered_of_app, write},
      {"POST", "/apps/{app}/oci-images", not_offered_of_app, write},
      {"GET", "/apps/{app}/oci-images/{image}", no_such_thing_of_app, read},

      {"GET", "/apps/{app}/review-app", no_such_thing_of_app, read},
      {"POST", "/review-apps", not_offered, write},
      {"ANY", "/review-apps/{rest...}", no_such_thing, read},
      {"GET", "/pipelines/{pipeline}/review-apps", no_things_of_pipeline, read},
      {"POST", "/pipelines/{pipeline}/review-app-config", not_offered, write},
      {"ANY", "/pipelines/{pipeline}/review-app-config", no_such_thing, read},
      {"GET", "/pipelines/{pipeline}/test-runs", no_things_of_pipeline, read},
      {"GET", "/pipelines/{pipeline}/test-runs/{number}", no_such_thing, read},
      {"POST", "/test-runs", not_offered, write},
      {"ANY", "/test-runs/{rest...}", no_such_thing, read},

      {"GET", "/addon-region-capabilities", no_things, identity},
      {"GET", "/addon-services/{service}/region-capabilities", no_things, identity},
      {"GET", "/regions/{region}/addon-region-capabilities", no_things, identity},

      {"GET", "/teams", no_things, identity},
      {"POST", "/teams", not_offered, everything},
      {"POST", "/teams/apps", not_offered, write},
      {"GET", "/teams/permissions", no_things, identity},
      {"ANY", "/teams/{rest...}", no_such_thing, identity},
      {"GET", "/organizations", no_things, identity},

      // Clients ask for the list of spaces on the way to that of apps.
      {"GET", "/spaces", no_things, identity},
      {"ANY", "/spaces/{rest...}", out_of_scope, identity},
      {"ANY", "/enterprise-accounts/{rest...}", out_of_scope, identity},
      {"ANY", "/account/invoices/{rest...}", out_of_scope, identity},
      {"ANY", "/account/invoice-address", out_of_scope, identity},
      {"ANY", "/account/credits/{rest...}", out_of_scope, identity},
      {"ANY", "/users/{user}/sms-number/{rest...}", out_of_scope, identity},
  };
  return all;
}

}  // namespace renga::api
