// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IEntry} from "./IEntry.sol";

/// @title IDataset
/// @notice Encrypted data. Its fields never change.
interface IDataset is IEntry {
    /// @notice A name for people.
    function m_datasetName() external view returns (string memory);

    /// @notice Where the ciphertext lies: the bytes of a multiaddr, or a plain UTF-8 URL.
    function m_datasetMultiaddr() external view returns (bytes memory);

    /// @notice What the ciphertext must hash to: sha256.
    function m_datasetChecksum() external view returns (bytes32);
}
