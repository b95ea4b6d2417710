djConfig = { ioPublish: true, modulePaths: { dojox: "../dojox1.6" } };
