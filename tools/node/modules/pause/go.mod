module tinycert-operator.io/tools/node/pause

go 1.26.0
