// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Resource} from "../types/Deals.sol";

/// @title BulkLib: the bytes of the datasets attached to a task
/// @notice A zero byte, then of each dataset its address, its owner (20 bytes each) and its price (12 bytes).
library BulkLib {
    uint256 private constant ENTRY_LENGTH = 52;

    /// @dev Prices must be below 2^96: lock them before.
    function encode(Resource[] memory attached) internal pure returns (bytes memory data) {
        data = new bytes(1 + ENTRY_LENGTH * attached.length);
        for (uint256 i = 0; i < attached.length; ++i) {
            Resource memory dataset = attached[i];
            uint256 ownerAndPrice = (uint256(uint160(dataset.owner)) << 96) | dataset.price;
            uint256 offset = 33 + ENTRY_LENGTH * i;
            assembly ("memory-safe") {
                // The second word is written over the end of the first, and ends where the entry does.
                mstore(add(data, offset), shl(96, mload(dataset)))
                mstore(add(data, add(offset, 20)), ownerAndPrice)
            }
        }
    }

    function decode(bytes memory data) internal pure returns (Resource[] memory attached) {
        attached = new Resource[](data.length / ENTRY_LENGTH);
        for (uint256 i = 0; i < attached.length; ++i) {
            Resource memory dataset = attached[i];
            uint256 pointer;
            uint256 ownerAndPrice;
            uint256 offset = 33 + ENTRY_LENGTH * i;
            assembly ("memory-safe") {
                pointer := shr(96, mload(add(data, offset)))
                ownerAndPrice := mload(add(data, add(offset, 20)))
            }
            dataset.pointer = address(uint160(pointer));
            dataset.owner = address(uint160(ownerAndPrice >> 96));
            dataset.price = uint96(ownerAndPrice);
        }
    }
}
