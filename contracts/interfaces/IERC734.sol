// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title A group that an order may be restricted to (ERC-734, purpose 4 = member)
interface IERC734 {
    /// @param key The candidate's address as the low 20 bytes.
    function keyHasPurpose(bytes32 key, uint256 purpose) external view returns (bool exists);
}
