// Every handler there is, by the file it lives in. routes.cpp says what each answers to.
#pragma once

#include "api/call.h"

namespace renga::api {

// account.cpp
Result<Answer> account_info(Call& call);
Result<Answer> account_update(Call& call);
Result<Answer> user_info(Call& call);
Result<Answer> user_update(Call& call);
Result<Answer> account_quota(Call& call);

// app_setups.cpp
Result<Answer> app_setup_create(Call& call);
Result<Answer> app_setup_info(Call& call);

// apps.cpp
Result<Answer> app_create(Call& call);
Result<Answer> app_list(Call& call);
Result<Answer> app_list_of_user(Call& call);
Result<Answer> app_info(Call& call);
Result<Answer> app_update(Call& call);
Result<Answer> app_delete(Call& call);
Result<Answer> app_filter(Call& call);

// authorizations.cpp
Result<Answer> authorization_create(Call& call);
Result<Answer> authorization_list(Call& call);
Result<Answer> authorization_info(Call& call);
Result<Answer> authorization_delete(Call& call);
Result<Answer> authorization_regenerate(Call& call);
Result<Answer> session_delete(Call& call);

// buildpack_installations.cpp
Result<Answer> buildpack_installation_list(Call& call);
Result<Answer> buildpack_installation_update(Call& call);
Result<Answer> registry_buildpack_list(Call& call);
Result<Answer> registry_buildpack(Call& call);
Result<Answer> registry_buildpack_revisions(Call& call);
Result<Answer> registry_buildpack_readme(Call& call);

// builds.cpp
Result<Answer> build_create(Call& call);
Result<Answer> build_list(Call& call);
Result<Answer> build_info(Call& call);
Result<Answer> build_cancel(Call& call);
Result<Answer> build_cache_delete(Call& call);

// collaborators.cpp
Result<Answer> collaborator_create(Call& call);
Result<Answer> collaborator_list(Call& call);
Result<Answer> collaborator_info(Call& call);
Result<Answer> collaborator_delete(Call& call);

// config_vars.cpp
Result<Answer> config_var_info(Call& call);
Result<Answer> config_var_info_of_release(Call& call);
Result<Answer> config_var_update(Call& call);

// domains.cpp
Result<Answer> domain_create(Call& call);
Result<Answer> domain_list(Call& call);
Result<Answer> domain_info(Call& call);
Result<Answer> domain_update(Call& call);
Result<Answer> domain_delete(Call& call);

// dyno_sizes.cpp
Result<Answer> dyno_size_list(Call& call);
Result<Answer> dyno_size_list_of_app(Call& call);
Result<Answer> dyno_size_info(Call& call);

// dynos.cpp
Result<Answer> dyno_create(Call& call);
Result<Answer> dyno_list(Call& call);
Result<Answer> dyno_info(Call& call);
Result<Answer> dyno_restart_all(Call& call);
Result<Answer> dyno_restart(Call& call);
Result<Answer> dyno_restart_type(Call& call);
Result<Answer> dyno_stop(Call& call);
Result<Answer> dyno_stop_type(Call& call);
Result<Answer> dyno_run_inside(Call& call);

// empty_lists.cpp
Result<Answer> no_things(Call& call);
Result<Answer> no_things_of_app(Call& call);
Result<Answer> no_such_thing(Call& call);
Result<Answer> no_such_thing_of_app(Call& call);
Result<Answer> not_offered(Call& call);
Result<Answer> not_offered_of_app(Call& call);

// sni_endpoints.cpp
Result<Answer> sni_endpoint_create(Call& call);
Result<Answer> sni_endpoint_list(Call& call);
Result<Answer> sni_endpoint_info(Call& call);
Result<Answer> sni_endpoint_update(Call& call);
Result<Answer> sni_endpoint_delete(Call& call);

// features.cpp
Result<Answer> app_feature_list(Call& call);
Result<Answer> app_feature_info(Call& call);
Result<Answer> app_feature_update(Call& call);
Result<Answer> account_feature_list(Call& call);
Result<Answer> account_feature_info(Call& call);
Result<Answer> account_feature_update(Call& call);

// formation.cpp
Result<Answer> formation_list(Call& call);
Result<Answer> formation_info(Call& call);
Result<Answer> formation_update(Call& call);
Result<Answer> formation_batch_update(Call& call);

// git.cpp
Result<Answer> git_discover(Call& call);
Result<Answer> git_receive_pack(Call& call);
Result<Answer> git_upload_pack(Call& call);

// log_drains.cpp
Result<Answer> log_drain_create(Call& call);
Result<Answer> log_drain_list(Call& call);
Result<Answer> log_drain_info(Call& call);
Result<Answer> log_drain_delete(Call& call);

// log_sessions.cpp
Result<Answer> log_session_create(Call& call);

// pipelines.cpp
Result<Answer> pipeline_create(Call& call);
Result<Answer> pipeline_list(Call& call);
Result<Answer> pipeline_info(Call& call);
Result<Answer> pipeline_update(Call& call);
Result<Answer> pipeline_delete(Call& call);
Result<Answer> pipeline_transfer_create(Call& call);
Result<Answer> pipeline_stack_info(Call& call);
Result<Answer> pipeline_config_var_info(Call& call);
Result<Answer> pipeline_config_var_update(Call& call);

// pipeline_couplings.cpp
Result<Answer> pipeline_coupling_create(Call& call);
Result<Answer> pipeline_coupling_list(Call& call);
Result<Answer> pipeline_coupling_list_of_user(Call& call);
Result<Answer> pipeline_coupling_list_of_pipeline(Call& call);
Result<Answer> pipeline_coupling_info(Call& call);
Result<Answer> pipeline_coupling_info_of_app(Call& call);
Result<Answer> pipeline_coupling_update(Call& call);
Result<Answer> pipeline_coupling_delete(Call& call);

// pipeline_promotions.cpp
Result<Answer> pipeline_promotion_create(Call& call);
Result<Answer> pipeline_promotion_info(Call& call);
Result<Answer> pipeline_promotion_target_list(Call& call);
Result<Answer> pipeline_release_list(Call& call);
Result<Answer> pipeline_deployment_list(Call& call);
Result<Answer> pipeline_build_list(Call& call);

// dyno_metrics.cpp
Result<Answer> dyno_metrics(Call& call);

// router_metrics.cpp
Result<Answer> router_metrics(Call& call);

// rate_limits.cpp
Result<Answer> rate_limit_info(Call& call);

// regions.cpp
Result<Answer> region_list(Call& call);
Result<Answer> region_info(Call& call);

// releases.cpp
Result<Answer> release_create(Call& call);
Result<Answer> release_list(Call& call);
Result<Answer> release_info(Call& call);

// scheduled_jobs.cpp
Result<Answer> scheduled_job_create(Call& call);
Result<Answer> scheduled_job_list(Call& call);
Result<Answer> scheduled_job_info(Call& call);
Result<Answer> scheduled_job_update(Call& call);
Result<Answer> scheduled_job_delete(Call& call);
Result<Answer> scheduled_run_create(Call& call);
Result<Answer> scheduled_run_list(Call& call);
Result<Answer> scheduled_run_info(Call& call);

// slugs.cpp
Result<Answer> slug_create(Call& call);
Result<Answer> slug_info(Call& call);
Result<Answer> slug_upload(Call& call);
Result<Answer> slug_download(Call& call);

// sources.cpp
Result<Answer> source_create(Call& call);
Result<Answer> source_create_of_app(Call& call);
Result<Answer> source_upload(Call& call);
Result<Answer> source_download(Call& call);

// stacks.cpp
Result<Answer> stack_list(Call& call);
Result<Answer> stack_list_of_app(Call& call);
Result<Answer> stack_info(Call& call);
Result<Answer> generation_list(Call& call);
Result<Answer> generation_info(Call& call);

// streams.cpp
Result<Answer> output_stream_open(Call& call);
Result<Answer> log_session_open(Call& call);

// webhooks.cpp
Result<Answer> webhook_create(Call& call);
Result<Answer> webhook_list(Call& call);
Result<Answer> webhook_info(Call& call);
Result<Answer> webhook_update(Call& call);
Result<Answer> webhook_delete(Call& call);
Result<Answer> webhook_delivery_list(Call& call);
Result<Answer> webhook_delivery_info(Call& call);
Result<Answer> webhook_event_list(Call& call);
Result<Answer> webhook_event_info(Call& call);

}  // namespace renga::api
