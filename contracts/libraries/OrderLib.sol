// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {AppOrder, DatasetOrder, RequestOrder, WorkerpoolOrder} from "../types/Orders.sol";

/// @title OrderLib: EIP-712 struct hashes of orders and of operations on them
/// @dev The members of an order lie in calldata as EIP-712 wants them, one word each and `sign` last, so that they are
/// hashed as they came. Addresses with dirty high bits make a hash that nobody signed.
library OrderLib {
    bytes private constant APP_ORDER =
        "AppOrder(address app,uint256 appprice,uint256 volume,bytes32 tag,address datasetrestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt)";
    bytes private constant DATASET_ORDER =
        "DatasetOrder(address dataset,uint256 datasetprice,uint256 volume,bytes32 tag,address apprestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt)";
    bytes private constant WORKERPOOL_ORDER =
        "WorkerpoolOrder(address workerpool,uint256 workerpoolprice,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address apprestrict,address datasetrestrict,address requesterrestrict,bytes32 salt)";
    bytes private constant REQUEST_ORDER =
        "RequestOrder(address app,uint256 appmaxprice,address dataset,uint256 datasetmaxprice,address workerpool,uint256 workerpoolmaxprice,address requester,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address beneficiary,address callback,string params,bytes32 salt)";

    bytes32 private constant APP_ORDER_TYPEHASH = keccak256(APP_ORDER);
    bytes32 private constant DATASET_ORDER_TYPEHASH = keccak256(DATASET_ORDER);
    bytes32 private constant WORKERPOOL_ORDER_TYPEHASH = keccak256(WORKERPOOL_ORDER);
    bytes32 private constant REQUEST_ORDER_TYPEHASH = keccak256(REQUEST_ORDER);

    bytes32 internal constant APP_ORDER_OPERATION_TYPEHASH = keccak256(
        abi.encodePacked("AppOrderOperation(AppOrder order,uint256 operation)", APP_ORDER)
    );
    bytes32 internal constant DATASET_ORDER_OPERATION_TYPEHASH = keccak256(
        abi.encodePacked("DatasetOrderOperation(DatasetOrder order,uint256 operation)", DATASET_ORDER)
    );
    bytes32 internal constant WORKERPOOL_ORDER_OPERATION_TYPEHASH = keccak256(
        abi.encodePacked("WorkerpoolOrderOperation(WorkerpoolOrder order,uint256 operation)", WORKERPOOL_ORDER)
    );
    bytes32 internal constant REQUEST_ORDER_OPERATION_TYPEHASH = keccak256(
        abi.encodePacked("RequestOrderOperation(RequestOrder order,uint256 operation)", REQUEST_ORDER)
    );

    function hash(AppOrder calldata order) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = APP_ORDER_TYPEHASH;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typeHash)
            calldatacopy(add(start, 32), order, 256)
            structHash := keccak256(start, 288)
        }
    }

    function hash(DatasetOrder calldata order) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = DATASET_ORDER_TYPEHASH;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typeHash)
            calldatacopy(add(start, 32), order, 256)
            structHash := keccak256(start, 288)
        }
    }

    function hash(WorkerpoolOrder calldata order) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = WORKERPOOL_ORDER_TYPEHASH;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typeHash)
            calldatacopy(add(start, 32), order, 320)
            structHash := keccak256(start, 352)
        }
    }

    function hash(RequestOrder calldata order) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = REQUEST_ORDER_TYPEHASH;
        // `params`, the 14th of 15 members, is hashed in place of its offset.
        bytes32 paramsHash = keccak256(bytes(order.params));
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typeHash)
            calldatacopy(add(start, 32), order, 480)
            mstore(add(start, 448), paramsHash)
            structHash := keccak256(start, 512)
        }
    }

    function hashOperation(bytes32 typeHash, bytes32 orderStructHash, uint8 operation) internal pure returns (bytes32) {
        return keccak256(abi.encode(typeHash, orderStructHash, uint256(operation)));
    }
}
