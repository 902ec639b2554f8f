// The handlers about people, by the file they live in: accounts, what they sign in with, what they
// share and give away; and about the API itself.
#pragma once

#include "api/call.h"

namespace renga::api {

// account.cpp
Result<Answer> account_delete(Call& call);
Result<Answer> user_delete(Call& call);
Result<Answer> account_delinquency(Call& call);

// app_transfers.cpp
Result<Answer> app_transfer_create(Call& call);
Result<Answer> app_transfer_list(Call& call);
Result<Answer> app_transfer_info(Call& call);
Result<Answer> app_transfer_update(Call& call);
Result<Answer> app_transfer_delete(Call& call);

// authorizations.cpp
Result<Answer> authorization_update(Call& call);
Result<Answer> token_create(Call& call);
Result<Answer> token_delete(Call& call);

// collaborators.cpp
Result<Answer> collaborator_update(Call& call);

// empty_lists.cpp
Result<Answer> no_things_of_pipeline(Call& call);
Result<Answer> out_of_scope(Call& call);

// keys.cpp
Result<Answer> key_create(Call& call);
Result<Answer> key_list(Call& call);
Result<Answer> key_info(Call& call);
Result<Answer> key_delete(Call& call);

// people.cpp
Result<Answer> people_list(Call& call);
Result<Answer> people_create(Call& call);
Result<Answer> password_reset_create(Call& call);
Result<Answer> password_reset_finalize(Call& call);

// schema.cpp
Result<Answer> schema_info(Call& call);

// second_factor.cpp
Result<Answer> second_factor_begin(Call& call);
Result<Answer> second_factor_confirm(Call& call);
Result<Answer> second_factor_delete(Call& call);
Result<Answer> second_factor_delete_of_user(Call& call);

// user_preferences.cpp
Result<Answer> user_preference_list(Call& call);
Result<Answer> user_preference_update(Call& call);

}  // namespace renga::api
