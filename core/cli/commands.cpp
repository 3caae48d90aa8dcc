// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "cli/actions.h"

namespace vcc::cli {

const std::vector<Command>& commands() {
  constexpr int kMissingGroup = 2;
  static constexpr OptionSpec kJson{"--json", "", "print the controller's answer as JSON"};
  static const std::vector<Command> kCommands{
      {{"status"}, "", 0, "show how the controller is", {kJson}, showStatus},
      {{"list"}, "", 0, "list the UnitGroups of all users", {kJson}, listGroups},
      {{"watch"},
       "VCID",
       1,
       "follow a UnitGroup until everything in it is settled; exit status 1 when something did not reach its goal, 2 "
       "when there is "
       "no such UnitGroup",
       {},
       watchGroup,
       kMissingGroup},
      {{"events"},
       "",
       0,
       "show what became of UnitGroups, units and nodes, the latest last",
       {{"--vcid", "VCID", "only those of one UnitGroup"},
        {"--after", "CURSOR", "those that follow one that was printed with --json"},
        {"--limit", "N", "at most so many, 1 to 1000 (default 100)"},
        {"--follow", "", "go on with those to come, until interrupted", "-f"},
        {"--json", "", "print each as a line of JSON, with its cursor"}},
       showEvents},
      {{"purge"},
       "VCID",
       1,
       "delete a UnitGroup of any user, and show what that takes away",
       {{"--keep-cloud", "",
         "drop the records only, at once, for what can no longer be deleted from here (driver or credentials gone): "
         "what is in the cloud stays there and goes on costing money"},
        {"--dry-run", "", "change nothing, only show"},
        kJson},
       purgeGroup,
       kMissingGroup},
      {{"check"},
       "[VCID]",
       1,
       "look at every node afresh, or at those of one UnitGroup, and show record, cloud, container and monitor side by "
       "side; exit status 0 when they agree, 1 when anything differs or cannot be seen, 2 when the controller cannot "
       "be "
       "asked",
       {kJson},
       checkEverything,
       kMissingGroup,
       kMissingGroup,
       1},
      {{"sweep"},
       "",
       0,
       "show what the clouds hold of this controller that no record knows",
       {{"--now", "", "list the clouds first"},
        {"--delete", "ID", "delete the object of this id (first column)"},
        {"--name", "NAME", "with --delete: its name, to confirm"},
        kJson},
       showSweep},
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
