// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {AppOrder, DatasetOrder, RequestOrder, WorkerpoolOrder} from "../../contracts/types/Orders.sol";

/// @title OrderHash
/// @notice EIP-712 struct hashes of orders, written down once more and as plainly as can be.
library OrderHash {
    bytes internal constant APP =
        "AppOrder(address app,uint256 appprice,uint256 volume,bytes32 tag,address datasetrestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt)";
    bytes internal constant DATASET =
        "DatasetOrder(address dataset,uint256 datasetprice,uint256 volume,bytes32 tag,address apprestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt)";
    bytes internal constant WORKERPOOL =
        "WorkerpoolOrder(address workerpool,uint256 workerpoolprice,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address apprestrict,address datasetrestrict,address requesterrestrict,bytes32 salt)";
    bytes internal constant REQUEST =
        "RequestOrder(address app,uint256 appmaxprice,address dataset,uint256 datasetmaxprice,address workerpool,uint256 workerpoolmaxprice,address requester,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address beneficiary,address callback,string params,bytes32 salt)";

    function hash(AppOrder memory o) internal pure returns (bytes32) {
        bytes memory head = abi.encode(keccak256(APP), o.app, o.appprice, o.volume, o.tag);
        return
            keccak256(
                bytes.concat(head, abi.encode(o.datasetrestrict, o.workerpoolrestrict, o.requesterrestrict, o.salt))
            );
    }

    function hash(DatasetOrder memory o) internal pure returns (bytes32) {
        bytes memory head = abi.encode(keccak256(DATASET), o.dataset, o.datasetprice, o.volume, o.tag);
        return
            keccak256(bytes.concat(head, abi.encode(o.apprestrict, o.workerpoolrestrict, o.requesterrestrict, o.salt)));
    }

    function hash(WorkerpoolOrder memory o) internal pure returns (bytes32) {
        bytes memory head = abi.encode(keccak256(WORKERPOOL), o.workerpool, o.workerpoolprice, o.volume, o.tag);
        bytes memory limits = abi.encode(o.category, o.trust, o.apprestrict, o.datasetrestrict, o.requesterrestrict);
        return keccak256(bytes.concat(head, limits, o.salt));
    }

    function hash(RequestOrder memory o) internal pure returns (bytes32) {
        bytes memory assets = abi.encode(keccak256(REQUEST), o.app, o.appmaxprice, o.dataset, o.datasetmaxprice);
        bytes memory wanted = abi.encode(o.workerpool, o.workerpoolmaxprice, o.requester, o.volume, o.tag, o.category);
        bytes memory rest = abi.encode(o.trust, o.beneficiary, o.callback, keccak256(bytes(o.params)), o.salt);
        return keccak256(bytes.concat(assets, wanted, rest));
    }

    /// @notice Type hash of an operation on an order: `name` of the order and its type string.
    function operationType(string memory name, bytes memory order) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(name, "Operation(", name, " order,uint256 operation)", order));
    }
}
