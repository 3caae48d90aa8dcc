// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "cli/actions.h"

namespace vcc::cli {

const std::vector<Command>& commands() {
  static constexpr OptionSpec kJson{"--json", "", "print the controller's answer as JSON"};
  static const std::vector<Command> kCommands{
      {{"status"}, "", 0, "show how the controller is", {kJson}, showStatus},
      {{"user", "add"},
       "NAME",
       1,
       "make a user",
       {{"--role", "ROLE", "regular (default), or super: may use privileged mode"}},
       addUser},
      {{"user", "list"}, "", 0, "list the users", {kJson}, listUsers},
      {{"token", "create"},
       "",
       0,
       "make an access token and print it; it is shown only this once",
       {{"--user", "USER", "whose token (default nobody)"},
        {"--readonly", "", "a token that may only look"},
        {"--note", "TEXT", "what it is for"},
        {"--mail", "ADDRESS", "whom to ask about it"},
        {"--days", "N", "how long it lives (default ten years)"},
        kJson},
       createToken},
      {{"token", "list"}, "", 0, "list the tokens by their first characters", {kJson}, listTokens},
      {{"token", "revoke"},
       "",
       0,
       "end a token at once; its cubbyhole goes with it",
       {{"--token", "TOKEN", "the whole token, or - to read it from standard input", "-t"},
        {"--purge-grants", "",
         "wipe the cloud credentials that it brought, too (for leaked ones): what they made can then be deleted only "
         "in "
         "the cloud's own console"}},
       revokeToken},
      {{"plugin", "list"},
       "",
       0,
       "list the drivers with what they declare, or why they were refused",
       {kJson},
       listPlugins},
      {{"plugin", "check"},
       "FILE",
       1,
       "try a plugin file without a server, through the same steps; its code runs with your rights, in its own process",
       {{"--settings", "YML", "a file for providers.d whose options, sha256 and aliases are tried too"}},
       checkPluginFile},
      {{"plugin", "load"},
       "NAME",
       1,
       "load the driver of providers.d/NAME.yml now; one that is loaded is never replaced",
       {kJson},
       loadPlugin},
  };
  return kCommands;
}

}  // namespace vcc::cli
