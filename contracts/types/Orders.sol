// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

// The four orders, in the order of their EIP-712 members. `sign` travels beside an order and is not hashed.
// A restriction is nobody's (zero), an address, or a contract that answers ERC-734 `keyHasPurpose(candidate, 4)`.
// Prices are per task, in the token's smallest unit; `volume` is how many tasks the order may serve in total.

struct AppOrder {
    address app;
    uint256 appprice;
    uint256 volume;
    bytes32 tag;
    address datasetrestrict;
    address workerpoolrestrict;
    address requesterrestrict;
    bytes32 salt;
    bytes sign;
}

struct DatasetOrder {
    address dataset;
    uint256 datasetprice;
    uint256 volume;
    bytes32 tag;
    address apprestrict;
    address workerpoolrestrict;
    address requesterrestrict;
    bytes32 salt;
    bytes sign;
}

struct WorkerpoolOrder {
    address workerpool;
    uint256 workerpoolprice;
    uint256 volume;
    bytes32 tag;
    uint256 category;
    uint256 trust;
    address apprestrict;
    address datasetrestrict;
    address requesterrestrict;
    bytes32 salt;
    bytes sign;
}

struct RequestOrder {
    address app;
    uint256 appmaxprice;
    address dataset;
    uint256 datasetmaxprice;
    address workerpool;
    uint256 workerpoolmaxprice;
    address requester;
    uint256 volume;
    bytes32 tag;
    uint256 category;
    uint256 trust;
    address beneficiary;
    address callback;
    string params;
    bytes32 salt;
    bytes sign;
}

// What an owner does to an order on chain: 0 signs it, 1 closes it. `sign` may be empty when the owner calls.

struct AppOrderOperation {
    AppOrder order;
    uint8 operation;
    bytes sign;
}

struct DatasetOrderOperation {
    DatasetOrder order;
    uint8 operation;
    bytes sign;
}

struct WorkerpoolOrderOperation {
    WorkerpoolOrder order;
    uint8 operation;
    bytes sign;
}

struct RequestOrderOperation {
    RequestOrder order;
    uint8 operation;
    bytes sign;
}

/// The order an error speaks of.
enum OrderKind {
    APP,
    DATASET,
    WORKERPOOL,
    REQUEST
}
