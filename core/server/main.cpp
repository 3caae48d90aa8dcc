// SPDX-License-Identifier: Apache-2.0
#include <Poco/Exception.h>

#include <iostream>

#include "server/app.h"

int main(int argc, char** argv) {
  try {
    Poco::AutoPtr<vcc::OcctrApp> app = new vcc::OcctrApp;
    try {
      app->init(argc, argv);
    } catch (const Poco::Exception& e) {
      std::cerr << "occtr: " << e.displayText() << "; --help tells more\n";
      return 2;
    }
    return app->run();
  } catch (const std::exception& e) {
    std::cerr << "occtr: " << e.what() << '\n';
    return 1;
  }
}
